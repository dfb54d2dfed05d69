package dev.atoll.shim.relay;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Compares namespaces as namespaces(7) says: by device and inode of their files. Stateless.
final class OwnNamespaces implements HostNamespaces {
    private static final Map<String, String> FILES = Map.of("network", "net", "mount", "mnt");

    @Override
    public boolean contain(String type, Path path) throws IOException {
        Path own = Path.of("/proc/self/ns", FILES.getOrDefault(type, type));
        return Files.exists(own) && identity(own).equals(identity(path));
    }

    private static Map<String, Object> identity(Path path) throws IOException {
        return Files.readAttributes(path, "unix:dev,ino");
    }
}
