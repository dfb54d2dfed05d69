package dev.atoll.shim.log;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/// Gives SLF4J the loggers of this package; found through `META-INF/services`.
public final class LogfmtProvider implements SLF4JServiceProvider {
    static final LogThreshold THRESHOLD = new LogThreshold();

    private final ConcurrentMap<String, Logger> loggers = new ConcurrentHashMap<>();
    private final ILoggerFactory loggerFactory =
            name ->
                    loggers.computeIfAbsent(
                            name, absent -> new LogfmtLogger(absent, System.err, THRESHOLD));
    private final IMarkerFactory markerFactory = new BasicMarkerFactory();
    private final MDCAdapter contextAdapter = new NOPMDCAdapter();

    @Override
    public ILoggerFactory getLoggerFactory() {
        return loggerFactory;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markerFactory;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return contextAdapter;
    }

    @Override
    public @Nullable String getRequestedApiVersion() {
        return "2.0.99";
    }

    @Override
    public void initialize() {}
}
