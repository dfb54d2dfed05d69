package dev.atoll.shim.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

final class LogfmtTest {
    @Test
    void keysAndValuesAreQuotedWhereNeeded() {
        String line =
                Logfmt.line(
                        Instant.parse("2026-01-02T03:04:05.123456789Z"),
                        "info",
                        "dev.atoll.shim.Daemon",
                        "task changed",
                        List.of(
                                new KeyValuePair("containerId", "c1"),
                                new KeyValuePair("error", "line \"one\"\nline two")),
                        null);

        assertThat(line)
                .isEqualTo(
                        "time=2026-01-02T03:04:05.123456Z level=info logger=Daemon msg=\"task changed\""
                                + " containerId=c1 error=\"line \\\"one\\\"\\nline two\"\n");
    }

    @Test
    void fluentKeyValuesReachTheLine() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        LogfmtLogger logger =
                new LogfmtLogger("x.Y", new PrintStream(bytes, true, UTF_8), new LogThreshold());

        logger.atInfo().addKeyValue("pid", 7).log("hello {}", "world");
        logger.atDebug().log("not written");

        assertThat(bytes.toString(UTF_8)).endsWith("logger=Y msg=\"hello world\" pid=7\n");
    }

    @Test
    void slf4jFindsTheProvider() {
        assertThat(LoggerFactory.getILoggerFactory().getLogger("a"))
                .isInstanceOf(LogfmtLogger.class);
    }
}
