package dev.atoll.sandbox.code;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NativeProgram;

/// The sentences for a program that is none.
final class ProgramRefusal {
    private static final String ACCEPTED =
            "a wasm container runs a WebAssembly module or component (.wasm) or its text form (.wat)";
    private static final String REMEDY =
            "build the program for wasm32-wasip1 or wasm32-wasip2, or remove runtimeClassName to run this image natively";

    private ProgramRefusal() {}

    static InvalidWorkload notWasm(String name, ProgramHead head) {
        return new InvalidWorkload(sentence(name, head));
    }

    /// @param head of an ELF program or a script
    static NativeProgram isNative(String name, ProgramHead head) {
        return new NativeProgram(sentence(name, head));
    }

    private static String sentence(String name, ProgramHead head) {
        return "%s is %s: %s; %s".formatted(name, head.found(), ACCEPTED, REMEDY);
    }

    /// @param image what the image is, for the sentence
    static InvalidWorkload missing(String path, String image) {
        return new InvalidWorkload(absence(path, image));
    }

    /// There is no such program, and nothing says that it was meant to be WebAssembly.
    static NativeProgram missingOfAnyKind(String path, String image) {
        return new NativeProgram(absence(path, image));
    }

    private static String absence(String path, String image) {
        return "%s does not exist in %s: %s, named by the first argument; set command to the path of the program, or %s"
                .formatted(path, image, ACCEPTED, REMEDY);
    }

    /// @param cause the engine's refusal to open it, such as of a directory
    static InvalidWorkload notAFile(String path, String image, InvalidWorkload cause) {
        return new InvalidWorkload(
                "%s in %s cannot be the program (%s): %s; set command to the path of the program"
                        .formatted(path, image, cause.getMessage(), ACCEPTED),
                cause);
    }

    static InvalidWorkload tooLarge(String name, long maxBytes) {
        return new InvalidWorkload(
                "%s is larger than %d bytes, which is the greatest program accepted: make it smaller"
                        .formatted(name, maxBytes));
    }
}
