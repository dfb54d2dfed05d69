package dev.atoll.sandbox.engine;

import java.util.List;

/// Compiled code, ready for guests. Thread-safe. Closing is idempotent; guests keep what they use.
public final class CompiledModule implements AutoCloseable {
    private final EngineLibrary library;
    private final Handle handle;
    private final String kind;
    private final List<String> exports;

    CompiledModule(EngineLibrary library, long id, String kind, List<String> exports) {
        this.library = library;
        this.handle = new Handle("compiled code", id);
        this.kind = kind;
        this.exports = List.copyOf(exports);
    }

    long id() {
        return handle.id();
    }

    /// `module` or `component`.
    public String kind() {
        return kind;
    }

    public List<String> exports() {
        return exports;
    }

    @Override
    public void close() {
        handle.release(id -> library.call(EngineFunction.MODULE_DROP, id, 0, ""));
    }
}
