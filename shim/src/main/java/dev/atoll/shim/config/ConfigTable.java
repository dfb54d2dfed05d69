package dev.atoll.shim.config;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.http.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/// A table of the configuration file, and where it stands there. Each method that reads throws what
/// names file, line and key, what was expected and what was found.
///
/// @param name empty for the whole file; else as in `handlers.x.http`
record ConfigTable(String file, String name, TomlTable toml) {
    static ConfigTable root(String file, TomlTable toml) {
        return new ConfigTable(file, "", toml);
    }

    /// For messages about the table as a whole.
    String place() {
        return "%s: %s".formatted(file, name);
    }

    /// In a fixed order.
    Set<String> keys() {
        return new TreeSet<>(toml.keySet());
    }

    void requireKeys(List<String> known) throws InvalidConfig {
        for (String key : keys()) {
            if (!known.contains(key)) {
                throw error(
                        key,
                        "unknown key: expected one of %s; the nearest is %s"
                                .formatted(String.join(", ", known), Nearest.of(key, known)));
            }
        }
    }

    Optional<Object> value(String key) {
        return Optional.ofNullable(toml.get(List.of(key)));
    }

    Optional<ConfigTable> table(String key) throws InvalidConfig {
        return toml.contains(List.of(key)) ? Optional.of(requiredTable(key)) : Optional.empty();
    }

    ConfigTable requiredTable(String key) throws InvalidConfig {
        Object value = toml.get(List.of(key));
        if (value instanceof TomlTable table) {
            return new ConfigTable(file, path(key), table);
        }
        throw unexpected(key, "a table", value);
    }

    Optional<List<String>> texts(String key, int most) throws InvalidConfig {
        Object value = toml.get(List.of(key));
        if (value == null) {
            return Optional.empty();
        }
        String expected = "an array of at most %d texts".formatted(most);
        if (!(value instanceof TomlArray array)) {
            throw unexpected(key, expected, value);
        }
        if (array.size() > most) {
            throw error(key, "expected %s, found %d".formatted(expected, array.size()));
        }
        List<String> texts = new ArrayList<>(array.size());
        for (Object element : array.toList()) {
            if (!(element instanceof String text)) {
                throw unexpected(key, "texts only", element);
            }
            texts.add(text);
        }
        return Optional.of(texts);
    }

    Optional<Long> number(String key, long least, long greatest) throws InvalidConfig {
        Object value = toml.get(List.of(key));
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof Long number && number >= least && number <= greatest) {
            return Optional.of(number);
        }
        throw unexpected(key, "a number from %d to %d".formatted(least, greatest), value);
    }

    InvalidConfig unexpected(String key, String expected, @Nullable Object found) {
        return error(key, "expected %s, found %s".formatted(expected, described(found)));
    }

    InvalidConfig error(String key, String message) {
        TomlPosition position = toml.inputPositionOf(List.of(key));
        String line = position == null ? "" : " line " + position.line();
        return new InvalidConfig("%s%s: %s: %s".formatted(file, line, path(key), message));
    }

    private String path(String key) {
        String line = OneLine.of(key);
        return name.isEmpty() ? line : name + "." + line;
    }

    private static String described(@Nullable Object value) {
        return switch (value) {
            case null -> "nothing";
            case String text -> "the text " + OneLine.quoted(text);
            case Long number -> Long.toString(number);
            case Double number -> Double.toString(number);
            case Boolean truth -> Boolean.toString(truth);
            case TomlArray _ -> "an array";
            case TomlTable _ -> "a table";
            default -> "a date or time";
        };
    }
}
