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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Writes the list of what the image holds, in SPDX 2.3:
/// `java Sbom.java VERSION EPOCH LIBRARIES CRATES DEBIAN OUTPUT JAVA-RELEASE`. Libraries come as Maven's `dependency:list`
/// writes them, crates as `name vVERSION<TAB>licence`, Debian packages as columns of name, version, architecture, source.
final class Sbom {
    private static final Pattern LIBRARY = Pattern.compile("^ +([\\w.-]+):([\\w.-]+):jar:([\\w.-]+):(?:compile|runtime)");

    /// One package.
    ///
    /// @param reference its package URL
    private record Part(String name, String version, String licence, String reference) {}

    static void main(String[] arguments) throws IOException {
        String version = arguments[0];
        Instant created = Instant.ofEpochSecond(Long.parseLong(arguments[1]));
        List<Part> parts = new ArrayList<>();
        parts.add(java(Path.of(arguments[6])));
        for (String line : Files.readAllLines(Path.of(arguments[2]))) {
            library(line).ifPresent(parts::add);
        }
        for (String line : Files.readAllLines(Path.of(arguments[3]))) {
            parts.add(crate(line));
        }
        for (String line : Files.readAllLines(Path.of(arguments[4]))) {
            parts.add(debian(line));
        }
        Files.writeString(Path.of(arguments[5]), document(version, created, parts));
    }

    /// As `dependency:list` writes it, between other lines.
    private static Optional<Part> library(String line) {
        Matcher matcher = LIBRARY.matcher(line);
        if (!matcher.find()) {
            return Optional.empty();
        }
        String group = matcher.group(1);
        String artifact = matcher.group(2);
        String version = matcher.group(3);
        return Optional.of(
                new Part(
                        group + ":" + artifact,
                        version,
                        "NOASSERTION",
                        "pkg:maven/%s/%s@%s".formatted(group, artifact, version)));
    }

    private static Part java(Path release) throws IOException {
        var properties = new Properties();
        try (var in = Files.newBufferedReader(release)) {
            properties.load(in);
        }
        String version = properties.getProperty("JAVA_VERSION").replace("\"", "");
        return new Part(
                "openjdk", version, "GPL-2.0-only WITH Classpath-exception-2.0", "pkg:generic/openjdk@" + version);
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
