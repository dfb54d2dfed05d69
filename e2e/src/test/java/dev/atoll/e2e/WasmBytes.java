package dev.atoll.e2e;

import dev.atoll.e2e.image.Content;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Writes WebAssembly's binary format, and nothing checks what it writes.
///
/// Not thread-safe.
final class WasmBytes {
    static final int TYPES = 1;
    static final int IMPORTS = 2;
    static final int FUNCTIONS = 3;
    static final int TABLES = 4;
    static final int MEMORIES = 5;
    static final int EXPORTS = 7;
    static final int START = 8;
    static final int CODE = 10;
    static final int DATA = 11;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// Begins a module whose first type is a function of nothing to nothing.
    static WasmBytes module() {
        return new WasmBytes()
                .raw(0, 'a', 's', 'm', 1, 0, 0, 0)
                .section(TYPES, types -> types.number(1).raw(0x60, 0, 0));
    }

    /// Adds bytes as they are.
    WasmBytes raw(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    /// Adds a number in LEB128, the unsigned form.
    WasmBytes number(long value) {
        long rest = value;
        for (; rest >= 0x80; rest >>>= 7) {
            out.write((int) ((rest & 0x7f) | 0x80));
        }
        out.write((int) rest);
        return this;
    }

    /// Adds a name with its length.
    WasmBytes name(String text) {
        return bytes(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Adds bytes with their number.
    WasmBytes bytes(byte[] content) {
        number(content.length);
        out.writeBytes(content);
        return this;
    }

    /// Adds the same thing so many times.
    WasmBytes times(int count, Consumer<WasmBytes> content) {
        for (int i = 0; i < count; i++) {
            content.accept(this);
        }
        return this;
    }

    /// Adds what a writer of its own makes, with its length.
    WasmBytes sized(Consumer<WasmBytes> content) {
        var inner = new WasmBytes();
        content.accept(inner);
        return bytes(inner.out.toByteArray());
    }

    /// Adds a section.
    WasmBytes section(int id, Consumer<WasmBytes> content) {
        return raw(id).sized(content);
    }

    /// Adds the export of the first function as what a program begins with.
    WasmBytes exportStart() {
        return section(EXPORTS, exports -> exports.number(1).name("_start").raw(0, 0));
    }

    /// Adds one function's code without locals.
    WasmBytes body(Consumer<WasmBytes> instructions) {
        return sized(body -> {
            body.number(0);
            instructions.accept(body);
            body.raw(0x0b);
        });
    }

    /// Returns a file with all of it.
    Path file() {
        return Content.of(out.toByteArray());
    }
}
