package dev.atoll.e2e.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One line of the result: the same thing measured on Atoll and on others.
///
/// @param name what was measured
/// @param unit of the values
/// @param runs how many runs a value is the median of
/// @param atoll Atoll's value
/// @param others what others had, by the keys below
record Figure(String name, String unit, int runs, double atoll, Map<String, Double> others) {
    /// The same work in native pods.
    static final String RUNC = "runc";

    /// The same engine without Atoll: `wasmtime serve`.
    static final String FLOOR = "floor";

    /// The same work in a native server without a pod.
    static final String NATIVE = "native";

    Figure {
        others = Map.copyOf(others);
    }

    /// Returns a figure that native pods have, too.
    static Figure ofBoth(String name, String unit, double[] atoll, double[] runc) {
        return new Figure(name, unit, atoll.length, median(atoll), Map.of(RUNC, median(runc)));
    }

    /// Returns a figure of Atoll alone.
    static Figure ofAtoll(String name, String unit, double value) {
        return new Figure(name, unit, 1, value, Map.of());
    }

    /// Returns the median.
    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// Whether it is about serving HTTP.
    boolean isHttp() {
        return others.containsKey(NATIVE);
    }

    /// Whether it is about limits.
    boolean isOfLimits() {
        return name.startsWith("limits.") || name.startsWith("fairness.");
    }

    /// Returns the JSON of it; what is not measured is null.
    String json() {
        String json =
                "\"name\":\"%s\",\"unit\":\"%s\",\"runs\":%d,\"atoll\":%s,\"runc\":%s,\"runwasi\":null,\"floor\":%s"
                        .formatted(
                                name,
                                unit,
                                runs,
                                number(atoll),
                                orNull(others.get(RUNC)),
                                orNull(others.get(FLOOR)));
        return isHttp()
                ? "{%s,\"native\":%s}".formatted(json, orNull(others.get(NATIVE)))
                : "{" + json + "}";
    }

    private static String orNull(@Nullable Double value) {
        return value == null ? "null" : number(value);
    }

    /// Returns a row of a table: each of the others' values with Atoll's in relation to it.
    String row(String... columns) {
        return Stream.concat(
                        Stream.of("| `" + name + "`", unit, Integer.toString(runs), number(atoll)),
                        Arrays.stream(columns).flatMap(column -> cells(others.get(column))))
                .collect(Collectors.joining(" | ", "", " |"));
    }

    private Stream<String> cells(@Nullable Double other) {
        if (other == null) {
            return Stream.of("", "");
        }
        return Stream.of(number(other), other > 0 ? number(atoll / other) : "");
    }

    /// With as many places as tell small values apart.
    private static String number(double value) {
        return String.format(Locale.ROOT, value < 1 ? "%.3f" : "%.2f", value);
    }
}
