package dev.atoll.e2e.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// An ordinary image: one tar layer with files.
///
/// @param files the files by their paths; a path that ends with a slash is a directory
/// @param config the `config` of the image's config, e.g. its Entrypoint
public record RootfsImage(Map<String, byte[]> files, Map<String, Object> config) {
    private static final int BLOCK = 512;

    public RootfsImage {
        files = Map.copyOf(files);
        config = Map.copyOf(config);
    }

    /// Returns an image with one file, which the given entrypoint runs.
    public static RootfsImage of(String path, byte[] content, String... entrypoint) {
        return new RootfsImage(Map.of(path, content), Map.of("Entrypoint", List.of(entrypoint)));
    }

    /// Packs it for linux and this machine's architecture.
    public Manifest pack() {
        byte[] tar = tar();
        Blob layer = Blob.of("application/vnd.oci.image.layer.v1.tar", tar);
        var json = new LinkedHashMap<String, Object>();
        json.put(
                "architecture",
                System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64");
        json.put("os", "linux");
        json.put("author", UUID.randomUUID().toString());
        json.put("config", config);
        json.put("rootfs", Map.of("type", "layers", "diff_ids", List.of(layer.digest())));
        byte[] bytes = Json.of(json).getBytes(StandardCharsets.UTF_8);
        return new Manifest(Blob.of(Artifact.IMAGE_CONFIG, bytes), List.of(layer));
    }

    private byte[] tar() {
        var out = new ByteArrayOutputStream();
        files.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> {
                    byte[] content = entry.getValue();
                    out.writeBytes(header(entry.getKey(), content.length));
                    out.writeBytes(content);
                    out.writeBytes(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
                });
        out.writeBytes(new byte[2 * BLOCK]);
        return out.toByteArray();
    }

    /// A header of the ustar format (POSIX 1003.1): octal text in fixed fields, and a sum over all
    /// of it.
    private static byte[] header(String path, int size) {
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
        put(header, 156, directory ? "5" : "0");
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
