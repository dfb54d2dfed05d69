package dev.atoll.e2e.image;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes maps, lists, strings, numbers and booleans as JSON.
public final class Json {
    private Json() {}

    /// Returns the JSON of a value.
    public static String of(Object value) {
        return switch (value) {
            case String text -> quote(text);
            case Number number -> number.toString();
            case Boolean truth -> truth.toString();
            case Map<?, ?> map ->
                    map.entrySet().stream()
                            .map(entry ->
                                    quote(entry.getKey().toString()) + ":" + of(entry.getValue()))
                            .collect(Collectors.joining(",", "{", "}"));
            case Collection<?> list ->
                    list.stream().map(Json::of).collect(Collectors.joining(",", "[", "]"));
            default -> throw new IllegalArgumentException("not JSON: " + value.getClass());
        };
    }

    /// Returns the JSON of strings.
    public static String ofAll(List<String> texts) {
        return of(texts);
    }

    private static String quote(String text) {
        var quoted = new StringBuilder("\"");
        text.chars()
                .forEach(c -> {
                    switch (c) {
                        case '"' -> quoted.append("\\\"");
                        case '\\' -> quoted.append("\\\\");
                        default -> {
                            if (c < ' ') {
                                quoted.append("\\u%04x".formatted(c));
                            } else {
                                quoted.append((char) c);
                            }
                        }
                    }
                });
        return quoted.append('"').toString();
    }
}
