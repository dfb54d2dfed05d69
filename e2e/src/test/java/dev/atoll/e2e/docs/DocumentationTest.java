package dev.atoll.e2e.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Documents name files and types; one that is renamed or removed must not live on in them.
final class DocumentationTest {
    private static final Path CHECKOUT = checkout();

    private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");

    private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)(#[^)]*)?\\)");

    /// A path below the checkout, as `shim/launcher` or `e2e/node/prepare`.
    private static final Pattern PATH = Pattern.compile("\\.?[A-Za-z][\\w.-]*(/[\\w.-]+)+/?");

    /// A type: at least two humps, as `WorkloadFactory`.
    private static final Pattern TYPE = Pattern.compile("[A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*");

    private static final Pattern WORD = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private static Set<String> words = Set.of();

    @BeforeAll
    static void readSources() throws IOException {
        words =
                files(".*\\.(java|rs|proto|c|h)").stream()
                        .filter(file -> !file.endsWith("DocumentationTest.java"))
                        .flatMap(file -> words(file).stream())
                        .collect(Collectors.toSet());
    }

    static List<Path> documents() throws IOException {
        return files(".*\\.md");
    }

    @Test
    void theDocumentsOfTheProjectAreFound() throws IOException {
        assertThat(documents())
                .contains(CHECKOUT.resolve("README.md"), CHECKOUT.resolve("ARCHITECTURE.md"));
    }

    @ParameterizedTest
    @MethodSource("documents")
    void everyPathInADocumentExists(Path document) {
        assertThat(
                        matches(CODE, document)
                                .filter(code -> PATH.matcher(code).matches())
                                .filter(DocumentationTest::beginsInCheckout)
                                .filter(code -> !Files.exists(CHECKOUT.resolve(code))))
                .as("paths that %s names and that do not exist", document)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void everyLinkInADocumentLeadsToAFile(Path document) {
        assertThat(
                        matches(LINK, document)
                                .filter(link -> !Files.exists(document.resolveSibling(link))))
                .as("links of %s that lead nowhere", document)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void everyTypeInADocumentExists(Path document) {
        Set<String> unknown = new TreeSet<>();
        matches(CODE, document)
                .filter(code -> TYPE.matcher(code).matches())
                .filter(code -> !words.contains(code))
                .forEach(unknown::add);

        assertThat(unknown).as("types that %s names and no source has", document).isEmpty();
    }

    /// Output of a build (`target/...`) does not exist in a fresh clone; what follows a foreign
    /// first folder is not ours.
    private static boolean beginsInCheckout(String path) {
        String first = path.substring(0, path.indexOf('/'));
        return !first.equals("target") && Files.isDirectory(CHECKOUT.resolve(first));
    }

    private static Stream<String> matches(Pattern pattern, Path document) {
        try {
            return pattern.matcher(Files.readString(document))
                    .results()
                    .map(found -> found.group(1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> files(String name) throws IOException {
        try (Stream<Path> all = Files.walk(CHECKOUT)) {
            return all.filter(file -> file.toString().matches(name))
                    .filter(Files::isRegularFile)
                    .filter(file -> !contains(CHECKOUT.relativize(file), "target"))
                    .filter(file -> !contains(CHECKOUT.relativize(file), ".git"))
                    .toList();
        }
    }

    private static boolean contains(Path path, String name) {
        for (Path part : path) {
            if (part.toString().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static Set<String> words(Path file) {
        Set<String> found = new TreeSet<>();
        try {
            Matcher matcher = WORD.matcher(Files.readString(file));
            while (matcher.find()) {
                found.add(matcher.group());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static Path checkout() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("Makefile")) || !Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
            if (folder == null) {
                throw new IllegalStateException("not inside a checkout of Atoll");
            }
        }
        return folder;
    }
}
