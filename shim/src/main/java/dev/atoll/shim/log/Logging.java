package dev.atoll.shim.log;

import java.util.List;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.slf4j.event.Level;

/// Sets up what the process logs, once, at its start.
public final class Logging {
    /// Held, since java.util.logging keeps its loggers by weak references.
    private static final Logger JUL_ROOT = Logger.getLogger("");

    private Logging() {}

    /// @param debug whether lines of level debug are written, too
    public static void configure(boolean debug) {
        LogfmtProvider.THRESHOLD.set(debug ? Level.DEBUG : Level.INFO);
        LogManager.getLogManager().reset();
        Handler handler = new ConsoleHandler();
        handler.setFormatter(new JulFormatter());
        handler.setLevel(java.util.logging.Level.INFO);
        JUL_ROOT.addHandler(handler);
    }

    /// Writes nothing: for a command line, which tells its user the outcome itself. Libraries log
    /// what they also throw.
    public static void silence() {
        LogfmtProvider.THRESHOLD.close();
        LogManager.getLogManager().reset();
    }

    /// grpc-java logs through java.util.logging.
    static final class JulFormatter extends Formatter {
        @Override
        public String format(LogRecord record) {
            String logger = record.getLoggerName();
            return Logfmt.line(
                    record.getInstant(),
                    level(record.getLevel()),
                    logger == null ? "root" : logger,
                    formatMessage(record),
                    List.of(),
                    record.getThrown());
        }

        private static String level(java.util.logging.Level level) {
            int value = level.intValue();
            if (value >= java.util.logging.Level.SEVERE.intValue()) {
                return "error";
            }
            if (value >= java.util.logging.Level.WARNING.intValue()) {
                return "warning";
            }
            return value >= java.util.logging.Level.INFO.intValue() ? "info" : "debug";
        }
    }
}
