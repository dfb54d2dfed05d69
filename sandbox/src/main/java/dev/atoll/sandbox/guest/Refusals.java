package dev.atoll.sandbox.guest;

import dev.atoll.oci.Digest;
import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.program.WasmProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;

/// The program that says why a command was refused: it writes its first argument to standard error
/// and exits with the status that its exported function is named after. So a refusal has streams, a
/// terminal and an end like any other command. Stateless.
final class Refusals {
    private static final String NAME = "refusal.wat";

    private Refusals() {}

    static WasmProgram program(int status) {
        byte[] bytes = bytes();
        return new WasmProgram.Layer(
                new Entrypoint(NAME, Optional.of(Integer.toString(status))),
                new Digest("sha256", sha256(bytes)),
                NAME,
                (target, _) -> write(target, bytes));
    }

    private static byte[] bytes() {
        try (InputStream stream =
                Objects.requireNonNull(Refusals.class.getResourceAsStream(NAME), NAME)) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("read " + NAME, e);
        }
    }

    private static void write(Path target, byte[] bytes) {
        try {
            Files.write(target, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("write " + target, e);
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
