package dev.atoll.oci.registry;

import dev.atoll.oci.InvalidImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// What a wasm binary is by its first eight bytes: magic, version and layer (WebAssembly core
/// specification, 5.5.16; component model, Binary.md).
enum WasmKind {
    MODULE("wasip1"),
    COMPONENT("wasip2");

    private static final byte[] MAGIC = {0, 'a', 's', 'm'};
    private static final byte[] MODULE_VERSION = {1, 0, 0, 0};
    private static final byte[] COMPONENT_VERSION = {0x0d, 0, 1, 0};

    private final String os;

    WasmKind(String os) {
        this.os = os;
    }

    /// What the artifact's config says under `os`.
    String os() {
        return os;
    }

    /// @throws InvalidImage if `file` is no wasm binary
    /// @throws IOException if `file` cannot be read
    static WasmKind of(Path file) throws IOException {
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(8);
        }
        byte[] version = Arrays.copyOfRange(start, Math.min(4, start.length), start.length);
        if (!Arrays.equals(MAGIC, Arrays.copyOf(start, 4)) || start.length < 4) {
            throw new InvalidImage(
                    "%s is not WebAssembly: expected a file that starts with \\0asm, found %s"
                            .formatted(file, kindOf(start)));
        }
        if (Arrays.equals(version, MODULE_VERSION)) {
            return MODULE;
        }
        if (Arrays.equals(version, COMPONENT_VERSION)) {
            return COMPONENT;
        }
        throw new InvalidImage(
                "%s is truncated or of an unknown WebAssembly version: expected a module of version 1 or a component: build it again"
                        .formatted(file));
    }

    private static String kindOf(byte[] start) {
        if (start.length == 0) {
            return "an empty file";
        }
        if (Arrays.equals(Arrays.copyOf(start, 4), new byte[] {0x7f, 'E', 'L', 'F'})) {
            return "a native Linux program (ELF): compile it for wasm32-wasip1 or wasm32-wasip2";
        }
        String text = new String(start, StandardCharsets.US_ASCII).stripLeading();
        if (text.startsWith("(") || text.startsWith(";;")) {
            return "WebAssembly text: turn it into a binary, e.g. by `wasm-tools parse`";
        }
        return "something else";
    }
}
