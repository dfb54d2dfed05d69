import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.zip.ZipFile;

/// Writes the list of what the image holds, in SPDX 2.3:
/// `java Sbom.java VERSION EPOCH JARS CRATES.tsv DEBIAN.tsv OUTPUT`.
/// Jars name themselves in their `pom.properties`; crates come as `name vVERSION<TAB>licence`, Debian packages as name,
/// version, architecture, source.
final class Sbom {
    /// One package.
    ///
    /// @param reference its package URL
    private record Part(String name, String version, String licence, String reference) {}

    static void main(String[] arguments) throws IOException {
        String version = arguments[0];
        Instant created = Instant.ofEpochSecond(Long.parseLong(arguments[1]));
        List<Part> parts = new ArrayList<>();
        try (var entries = Files.list(Path.of(arguments[2]))) {
            for (Path jar : entries.filter(path -> path.toString().endsWith(".jar")).sorted().toList()) {
                parts.add(jar(jar));
            }
        }
        for (String line : Files.readAllLines(Path.of(arguments[3]))) {
            parts.add(crate(line));
        }
        for (String line : Files.readAllLines(Path.of(arguments[4]))) {
            parts.add(debian(line));
        }
        Files.writeString(Path.of(arguments[5]), document(version, created, parts));
    }

    private static Part jar(Path file) throws IOException {
        String name = file.getFileName().toString().replaceFirst("\\.jar$", "");
        Optional<Properties> pom = pom(file, name);
        if (pom.isEmpty()) {
            int at = versionAt(name);
            String artifact = name.substring(0, at - 1);
            String version = name.substring(at);
            return new Part(artifact, version, "NOASSERTION", "pkg:generic/%s@%s".formatted(artifact, version));
        }
        String group = pom.get().getProperty("groupId");
        String artifact = pom.get().getProperty("artifactId");
        String version = pom.get().getProperty("version");
        return new Part(
                group + ":" + artifact, version, "NOASSERTION", "pkg:maven/%s/%s@%s".formatted(group, artifact, version));
    }

    /// Of the artifact that the file is named after: a jar may hold those of others, too.
    private static Optional<Properties> pom(Path file, String name) throws IOException {
        try (var zip = new ZipFile(file.toFile())) {
            for (var entry : zip.stream().toList()) {
                if (entry.getName().matches("META-INF/maven/.*/pom\\.properties")) {
                    var properties = new Properties();
                    properties.load(zip.getInputStream(entry));
                    if (name.startsWith(properties.getProperty("artifactId", " ") + "-")) {
                        return Optional.of(properties);
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static int versionAt(String name) {
        for (int i = 1; i < name.length(); i++) {
            if (name.charAt(i - 1) == '-' && Character.isDigit(name.charAt(i))) {
                return i;
            }
        }
        throw new IllegalArgumentException(name + ".jar has no version in its name");
    }

    private static Part crate(String line) {
        String[] columns = line.split("\t", -1);
        String[] words = columns[0].split(" v", 2);
        String licence = columns[1].isEmpty() ? "NOASSERTION" : columns[1].replace("/", " OR ");
        return new Part(words[0], words[1], licence, "pkg:cargo/%s@%s".formatted(words[0], words[1]));
    }

    private static Part debian(String line) {
        String[] columns = line.split("\t", -1);
        return new Part(
                columns[0],
                columns[1],
                "NOASSERTION",
                "pkg:deb/debian/%s@%s?arch=%s&upstream=%s".formatted(columns[0], columns[1], columns[2], columns[3]));
    }

    private static String document(String version, Instant created, List<Part> parts) {
        var packages = new StringBuilder(entry("SPDXRef-atoll", new Part("atoll", version, "Apache-2.0", "pkg:generic/atoll@" + version)));
        var relations = new StringBuilder(relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-atoll"));
        for (int i = 0; i < parts.size(); i++) {
            String id = "SPDXRef-" + (i + 1);
            packages.append(",\n").append(entry(id, parts.get(i)));
            relations.append(",\n").append(relation("SPDXRef-atoll", "CONTAINS", id));
        }
        return """
                {
                "spdxVersion": "SPDX-2.3",
                "dataLicense": "CC0-1.0",
                "SPDXID": "SPDXRef-DOCUMENT",
                "name": "atoll-%s",
                "documentNamespace": "https://atoll.dev/spdx/%s-%s",
                "creationInfo": {"created": "%s", "creators": ["Tool: deploy-image-build"]},
                "packages": [
                %s
                ],
                "relationships": [
                %s
                ]
                }
                """
                .formatted(version, version, digest(packages.toString()), created, packages, relations);
    }

    private static String entry(String id, Part part) {
        return """
                {"SPDXID": "%s", "name": "%s", "versionInfo": "%s", "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "licenseConcluded": "NOASSERTION", "licenseDeclared": "%s", "copyrightText": "NOASSERTION", "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "%s"}]}"""
                .formatted(id, part.name(), part.version(), part.licence(), part.reference());
    }

    private static String relation(String from, String type, String to) {
        return """
                {"spdxElementId": "%s", "relationshipType": "%s", "relatedSpdxElement": "%s"}"""
                .formatted(from, type, to);
    }

    private static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
