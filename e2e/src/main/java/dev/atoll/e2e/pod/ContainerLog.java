package dev.atoll.e2e.pod;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// A container's log in CRI's format, one line per entry: `time stream tag content`, in which the
/// tag `P` says that the writer's line goes on or ended without a newline.
///
/// @param text the log as it is
public record ContainerLog(String text) {
    /// Returns what the container wrote to its standard output, byte for byte.
    public byte[] outputBytes() {
        return bytesOf("stdout");
    }

    /// Returns what the container wrote to its standard output.
    public String output() {
        return new String(outputBytes(), StandardCharsets.UTF_8);
    }

    /// Returns what the container wrote to its standard error.
    public String errors() {
        return new String(bytesOf("stderr"), StandardCharsets.UTF_8);
    }

    private byte[] bytesOf(String stream) {
        var out = new ByteArrayOutputStream(text.length());
        text.lines()
                .forEach(line -> {
                    String[] parts = line.split(" ", 4);
                    if (parts.length == 4 && parts[1].equals(stream)) {
                        // The log was read as ISO 8859-1: each character is a byte.
                        out.writeBytes(parts[3].getBytes(StandardCharsets.ISO_8859_1));
                        if (parts[2].equals("F")) {
                            out.write('\n');
                        }
                    }
                });
        return out.toByteArray();
    }
}
