package dev.atoll.sandbox.engine;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.WorkloadEnded;

/// A guest of the native engine.
final class NativeGuest implements Guest {
    private final EngineLibrary library;
    private final Handle handle;
    private final String name;

    NativeGuest(EngineLibrary library, long id, String name) {
        this.library = library;
        this.handle = new Handle("a guest", id);
        this.name = name;
    }

    @Override
    public void start() {
        library.call(EngineFunction.GUEST_START, id(), 0, "");
    }

    @Override
    public void stop(int signal) {
        library.call(EngineFunction.GUEST_STOP, id(), signal, "");
    }

    @Override
    public void kill(int signal) {
        library.call(EngineFunction.GUEST_KILL, id(), signal, "");
    }

    @Override
    public void update(Resources limits) {
        library.call(EngineFunction.GUEST_UPDATE, id(), 0, EngineJson.update(limits));
    }

    @Override
    public void closeStdin() {
        library.call(EngineFunction.GUEST_CLOSE_STDIN, id(), 0, "");
    }

    @Override
    public void resize(TerminalSize size) {
        long packed = (long) size.columns() << 16 | size.rows();
        library.call(EngineFunction.GUEST_RESIZE, id(), packed, "");
    }

    @Override
    public GuestStatistics statistics() {
        return GuestStatistics.of(
                library.numbers(EngineFunction.GUEST_STAT, id(), GuestStatistics.NUMBERS));
    }

    @Override
    public String text() {
        return library.text(EngineFunction.GUEST_TEXT, id());
    }

    @Override
    public void close() {
        handle.release(id -> library.call(EngineFunction.GUEST_DROP, id, 0, ""));
    }

    @Override
    public long id() {
        if (handle.isReleased()) {
            throw new WorkloadEnded("%s was closed".formatted(name));
        }
        return handle.id();
    }
}
