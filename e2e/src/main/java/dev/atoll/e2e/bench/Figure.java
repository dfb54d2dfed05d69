package dev.atoll.e2e.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalDouble;

/// One line of the result: the same thing measured on Atoll and on runc.
///
/// @param name what was measured
/// @param unit of the values
/// @param runs how many runs a value is the median of
/// @param atoll Atoll's value
/// @param runc runc's value, if there is one
record Figure(String name, String unit, int runs, double atoll, OptionalDouble runc) {
    /// Returns a figure that both have.
    static Figure ofBoth(String name, String unit, double[] atoll, double[] runc) {
        return new Figure(name, unit, atoll.length, median(atoll), OptionalDouble.of(median(runc)));
    }

    /// Returns a figure of Atoll alone.
    static Figure ofAtoll(String name, String unit, double value) {
        return new Figure(name, unit, 1, value, OptionalDouble.empty());
    }

    /// Returns the median.
    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// Returns the JSON of it; what is not measured is null.
    String json() {
        String other = runc.isPresent() ? number(runc.getAsDouble()) : "null";
        return "{\"name\":\"%s\",\"unit\":\"%s\",\"runs\":%d,\"atoll\":%s,\"runc\":%s,\"runwasi\":null,\"floor\":null}"
                .formatted(name, unit, runs, number(atoll), other);
    }

    /// Returns a row of a table.
    String row() {
        String other = runc.isPresent() ? number(runc.getAsDouble()) : "";
        String ratio =
                runc.isPresent() && runc.getAsDouble() > 0
                        ? number(atoll / runc.getAsDouble())
                        : "";
        return "| `%s` | %s | %d | %s | %s | %s |"
                .formatted(name, unit, runs, number(atoll), other, ratio);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
