package dev.atoll.shim.log;

import java.io.PrintStream;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;
import org.slf4j.event.LoggingEvent;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventAware;

/// An SLF4J logger that keeps key-value pairs apart from the message, which slf4j-jdk14 does not.
/// Thread-safe: a line is one write.
final class LogfmtLogger extends LegacyAbstractLogger implements LoggingEventAware {
    private static final long serialVersionUID = 1L;

    private final transient PrintStream out;
    private final transient LogThreshold threshold;

    LogfmtLogger(String name, PrintStream out, LogThreshold threshold) {
        this.name = name;
        this.out = out;
        this.threshold = threshold;
    }

    @Override
    public void log(LoggingEvent event) {
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        Object[] arguments = event.getArgumentArray();
        String message =
                arguments == null || arguments.length == 0
                        ? String.valueOf(event.getMessage())
                        : MessageFormatter.basicArrayFormat(event.getMessage(), arguments);
        write(event.getLevel(), message, pairs == null ? List.of() : pairs, event.getThrowable());
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String message,
            Object @Nullable [] arguments,
            @Nullable Throwable error) {
        String text =
                arguments == null ? message : MessageFormatter.basicArrayFormat(message, arguments);
        write(level, text, List.of(), error);
    }

    private void write(
            Level level, String message, List<KeyValuePair> pairs, @Nullable Throwable error) {
        out.print(Logfmt.line(Instant.now(), levelName(level), name, message, pairs, error));
        out.flush();
    }

    private static String levelName(Level level) {
        return switch (level) {
            case ERROR -> "error";
            case WARN -> "warning";
            case INFO -> "info";
            case DEBUG -> "debug";
            case TRACE -> "trace";
        };
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    public boolean isTraceEnabled() {
        return threshold.passes(Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return threshold.passes(Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return threshold.passes(Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return threshold.passes(Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return threshold.passes(Level.ERROR);
    }
}
