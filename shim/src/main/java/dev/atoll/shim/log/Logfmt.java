package dev.atoll.shim.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/// Writes log lines as `key=value` pairs, values quoted where needed. Stateless.
final class Logfmt {
    private Logfmt() {}

    static String line(
            Instant time,
            String level,
            String logger,
            String message,
            List<KeyValuePair> pairs,
            @Nullable Throwable error) {
        StringBuilder line = new StringBuilder(160);
        line.append("time=").append(time.truncatedTo(ChronoUnit.MICROS));
        line.append(" level=").append(level);
        line.append(" logger=").append(logger.substring(logger.lastIndexOf('.') + 1));
        append(line, "msg", message);
        for (KeyValuePair pair : pairs) {
            append(line, pair.key, String.valueOf(pair.value));
        }
        if (error != null) {
            StringWriter stack = new StringWriter();
            error.printStackTrace(new PrintWriter(stack));
            append(line, "stack", stack.toString());
        }
        return line.append('\n').toString();
    }

    private static void append(StringBuilder line, String key, String value) {
        line.append(' ').append(key).append('=');
        if (isPlain(value)) {
            line.append(value);
            return;
        }
        line.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> line.append("\\\"");
                case '\\' -> line.append("\\\\");
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (c < 0x20 || c == 0x7f) {
                        line.append(String.format("\\u%04x", (int) c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
        line.append('"');
    }

    private static boolean isPlain(String value) {
        return !value.isEmpty()
                && value.chars()
                        .allMatch(c -> c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f);
    }
}
