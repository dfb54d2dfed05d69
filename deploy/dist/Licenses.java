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

/// Collects the licence and notice texts of what a distribution holds: `java Licenses.java LIBRARIES CRATES LICENSE TEXTS OUTPUT`.
///
/// LIBRARIES is a directory of jars. CRATES has a line for each crate that is linked into the engine: its directory, a bar, its
/// licence. LICENSE is the Apache License 2.0. TEXTS is a directory with the texts of jars that carry none, whose names are in its
/// file `jars`. Texts that several share are written once, under the names of all of them; what has none is an error.
final class Licenses {
    private static final Pattern TEXT =
            Pattern.compile("(META-INF/)?(LICEN[SC]E|NOTICE|COPYING|UNLICENSE)[^/]*", Pattern.CASE_INSENSITIVE);

    /// Of Wasmtime's own crates only some carry the text.
    private static final String OF_WASMTIME = "Apache-2.0 WITH LLVM-exception";

    private final Map<String, TreeSet<String>> holders = new LinkedHashMap<>();
    private final TreeSet<String> missing = new TreeSet<>();

    static void main(String[] arguments) throws IOException {
        var licenses = new Licenses();
        licenses.addJars(Path.of(arguments[0]), Path.of(arguments[2]), Path.of(arguments[3]));
        licenses.addCrates(Files.readAllLines(Path.of(arguments[1])));
        if (!licenses.missing.isEmpty()) {
            System.err.println("there is no licence text of " + String.join(", ", licenses.missing)
                    + ": add one to deploy/dist/licenses");
            System.exit(1);
        }
        Files.writeString(Path.of(arguments[4]), licenses.written());
    }

    private void addJars(Path libraries, Path license, Path texts) throws IOException {
        List<String[]> others = Files.readAllLines(texts.resolve("jars")).stream()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split(" +"))
                .toList();
        try (var entries = Files.newDirectoryStream(libraries, "*.jar")) {
            for (Path jar : entries) {
                String name = jar.getFileName().toString();
                if (!addJar(jar, name)) {
                    var other = others.stream().filter(pair -> name.startsWith(pair[0])).findFirst();
                    if (other.isEmpty()) {
                        missing.add(name);
                    } else {
                        String file = other.get()[1];
                        add(Files.readString(file.equals("LICENSE") ? license : texts.resolve(file)), name);
                    }
                }
            }
        }
    }

    /// @return whether it carries a text
    private boolean addJar(Path jar, String name) throws IOException {
        boolean found = false;
        try (var zip = new ZipFile(jar.toFile())) {
            for (var entry : zip.stream().toList()) {
                if (!entry.isDirectory() && TEXT.matcher(entry.getName()).matches()) {
                    add(new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8), name);
                    found = true;
                }
            }
        }
        return found;
    }

    private void addCrates(List<String> crates) throws IOException {
        for (String line : crates) {
            String[] crate = line.split("\\|");
            Path directory = Path.of(crate[0]);
            String name = directory.getFileName().toString();
            boolean found = false;
            try (var entries = Files.newDirectoryStream(directory, Files::isRegularFile)) {
                for (Path file : entries) {
                    if (TEXT.matcher(file.getFileName().toString()).matches()) {
                        add(Files.readString(file), name);
                        found = true;
                    }
                }
            }
            if (!found && !crate[1].equals(OF_WASMTIME)) {
                missing.add(name);
            }
        }
    }

    private void add(String text, String holder) {
        holders.computeIfAbsent(text.strip(), ignored -> new TreeSet<>()).add(holder);
    }

    private String written() {
        var output = new StringBuilder();
        holders.forEach((text, names) -> output.append("=".repeat(100)).append('\n')
                .append(String.join("\n", names)).append("\n\n").append(text).append("\n\n"));
        return output.toString();
    }
}
