package dev.atoll.e2e.image;

import com.google.gson.Gson;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.oci.image.Platform;
import dev.atoll.oci.registry.Blob;
import dev.atoll.oci.registry.RawArtifact;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// An ordinary image: one tar layer with files.
///
/// @param files the files by their paths; a path that ends with a slash is a directory
/// @param links the targets of symbolic links by the links' paths
/// @param config the `config` of the image's config, e.g. its Entrypoint
public record RootfsImage(
        Map<String, Path> files, Map<String, String> links, Map<String, Object> config) {
    private static final int BLOCK = 512;

    public RootfsImage {
        files = Map.copyOf(files);
        links = Map.copyOf(links);
        config = Map.copyOf(config);
    }

    /// Makes an image without links.
    public RootfsImage(Map<String, Path> files, Map<String, Object> config) {
        this(files, Map.of(), config);
    }

    /// Returns an image with one file, which the given entrypoint runs.
    public static RootfsImage of(String path, Path content, String... entrypoint) {
        return new RootfsImage(Map.of(path, content), Map.of("Entrypoint", List.of(entrypoint)));
    }

    /// Packs it for this machine.
    RawArtifact pack() {
        Path layer = Content.of(tar());
        var json = new LinkedHashMap<String, Object>();
        json.put("architecture", Platform.host().architecture());
        json.put("os", Platform.host().os());
        json.put("author", UUID.randomUUID().toString());
        json.put("config", config);
        json.put("rootfs", Map.of("type", "layers", "diff_ids", List.of(Content.digest(layer))));
        return new RawArtifact(
                new Blob.Text(MediaTypes.OCI_CONFIG, Map.of(), new Gson().toJson(json)),
                List.of(Artifact.layer(MediaTypes.OCI_LAYER_TAR, layer)));
    }

    private byte[] tar() {
        var out = new ByteArrayOutputStream();
        files.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> {
                    byte[] content = read(entry.getValue());
                    out.writeBytes(header(entry.getKey(), content.length, ""));
                    out.writeBytes(content);
                    out.writeBytes(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
                });
        links.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> out.writeBytes(header(entry.getKey(), 0, entry.getValue())));
        out.writeBytes(new byte[2 * BLOCK]);
        return out.toByteArray();
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }

    /// A header of the ustar format (POSIX 1003.1): octal text in fixed fields, and a sum over all
    /// of it.
    ///
    /// @param target of a symbolic link, else empty
    private static byte[] header(String path, int size, String target) {
        var header = new byte[BLOCK];
        String name = path.startsWith("/") ? path.substring(1) : path;
        boolean directory = name.endsWith("/");
        put(header, 0, name);
        put(header, 100, "0000755\0");
        put(header, 108, "0000000\0");
        put(header, 116, "0000000\0");
        put(header, 124, "%011o\0".formatted(size));
        put(header, 136, "%011o\0".formatted(0));
        put(header, 148, "        ");
        put(header, 156, directory ? "5" : target.isEmpty() ? "0" : "2");
        put(header, 157, target);
        put(header, 257, "ustar\0" + "00");
        int sum = 0;
        for (byte b : header) {
            sum += Byte.toUnsignedInt(b);
        }
        put(header, 148, "%06o\0 ".formatted(sum));
        return header;
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
