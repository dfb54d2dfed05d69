package dev.atoll.sandbox.code;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A file of compiled code. Its name says which program it is and what its own bytes must hash to.
///
/// @param path `<program digest hex>.<sha256 of the file>.cwasm`
record CodeEntry(Path path, String programHex, String sha256) {
    private static final Pattern NAME =
            Pattern.compile("([0-9a-f]{64}|[0-9a-f]{128})\\.([0-9a-f]{64})\\.cwasm");

    static Optional<CodeEntry> parse(Path path) {
        Path name = path.getFileName();
        if (name == null) {
            return Optional.empty();
        }
        Matcher matcher = NAME.matcher(name.toString());
        return matcher.matches()
                ? Optional.of(new CodeEntry(path, matcher.group(1), matcher.group(2)))
                : Optional.empty();
    }

    static String name(String programHex, String sha256) {
        return programHex + "." + sha256 + ".cwasm";
    }
}
