package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// A directory as `deploy/dist/build` makes it.
///
/// @param directory where it lies, seen from here
/// @param version what its file `version` says
record Distribution(Path directory, String version) {
    private static final int DIGITS = 8;

    static Distribution at(Path directory) throws InstallFailed {
        try {
            String version = Files.readString(directory.resolve("version")).strip();
            if (!version.matches("[A-Za-z0-9][A-Za-z0-9._+-]*")) {
                throw new InstallFailed(
                        "%s/version holds no version: found \"%s\"".formatted(directory, version));
            }
            return new Distribution(directory, version);
        } catch (IOException e) {
            throw new InstallFailed(
                    "%s is no distribution of Atoll (it has no readable file version): run bin/atoll of one, or name one by --distribution"
                            .formatted(directory),
                    e);
        }
    }

    /// The name of its directory on the host: the version, and if another build of that version is
    /// there already, digits of this one's digest too. What is installed is never written over.
    String name(Host host, Layout layout) throws InstallFailed, IOException {
        Path plain = host.path(layout.distribution(version));
        if (!Files.exists(plain)) {
            return version;
        }
        String digest = digest(directory);
        return digest(plain).equals(digest) ? version : version + "-" + digest.substring(0, DIGITS);
    }

    /// Of all names and contents.
    private static String digest(Path directory) throws IOException {
        MessageDigest digest = sha256();
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            digest.update(directory.relativize(file).toString().getBytes(UTF_8));
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
