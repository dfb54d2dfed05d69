import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;

/// Collects the licence and notice texts that jars carry: `java Licenses.java LIBRARIES OUTPUT`.
/// Texts that several jars share are written once, under the names of all of them.
final class Licenses {
    private static final Pattern TEXT =
            Pattern.compile("(META-INF/)?(LICENSE|LICENCE|NOTICE|COPYING)[^/]*", Pattern.CASE_INSENSITIVE);

    static void main(String[] arguments) throws IOException {
        Map<String, TreeSet<String>> holders = new LinkedHashMap<>();
        List<Path> jars;
        try (var entries = Files.list(Path.of(arguments[0]))) {
            jars = entries.filter(path -> path.toString().endsWith(".jar")).sorted().toList();
        }
        for (Path jar : jars) {
            try (var zip = new ZipFile(jar.toFile())) {
                for (var entry : zip.stream().toList()) {
                    if (!entry.isDirectory() && TEXT.matcher(entry.getName()).matches()) {
                        byte[] bytes = zip.getInputStream(entry).readAllBytes();
                        String text = new String(bytes, StandardCharsets.UTF_8).strip();
                        holders.computeIfAbsent(text, ignored -> new TreeSet<>()).add(jar.getFileName().toString());
                    }
                }
            }
        }
        var output = new StringBuilder();
        holders.forEach(
                (text, names) ->
                        output.append("=".repeat(100)).append('\n').append(String.join("\n", names))
                                .append("\n\n").append(text).append("\n\n"));
        Files.writeString(Path.of(arguments[1]), output);
    }
}
