package dev.atoll.shim;

import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.log.Logging;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The daemon as a process: flags, signals, exit status.
public final class DaemonProcess {
    private static final Logger LOGGER = LoggerFactory.getLogger(DaemonProcess.class);
    private static final int USAGE_ERROR = 2;
    private static final int QUIET_SECONDS = 2;

    private DaemonProcess() {}

    /// Runs until SIGTERM or SIGINT.
    ///
    /// @return the exit status, if it could not start or had only to print
    public static int run(
            List<String> arguments, Backend.Opener backends, PrintStream out, PrintStream err) {
        if (arguments.contains("--help")) {
            out.print(DaemonFlags.USAGE);
            return 0;
        }
        if (arguments.contains("--version")) {
            out.println("atolld " + Version.current());
            return 0;
        }
        DaemonFlags flags;
        try {
            flags = DaemonFlags.parse(arguments);
        } catch (DaemonFlags.InvalidFlags e) {
            err.println("atolld: " + e.getMessage());
            return USAGE_ERROR;
        }
        Logging.configure(flags.debug());
        if (flags.check()) {
            return check(flags, backends, out, err);
        }
        Daemon daemon;
        try {
            daemon = Daemon.open(flags, backends);
        } catch (IOException e) {
            LOGGER.atError().addKeyValue(LogKeys.ERROR, e.getMessage()).log("daemon cannot start");
            return 1;
        }
        serve(daemon);
        return 0;
    }

    private static int check(
            DaemonFlags flags, Backend.Opener backends, PrintStream out, PrintStream err) {
        try {
            Backend backend = backends.open(flags);
            try (AutoCloseable _ = backend.closer();
                    AutoCloseable _ = backend.workloads()) {
                out.println("atolld %s can start".formatted(Version.current()));
            }
            return 0;
        } catch (Exception e) {
            err.println("atolld cannot start: " + e.getMessage());
            return 1;
        }
    }

    /// Java runs shutdown hooks on SIGTERM and SIGINT, and then exits with 128+n; halting after an
    /// orderly end makes it 0.
    private static void serve(Daemon daemon) {
        CountDownLatch forever = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        Thread.ofPlatform()
                                .name("shutdown")
                                .unstarted(() -> {
                                    daemon.close();
                                    LOGGER.atInfo().log("daemon ended");
                                    Runtime.getRuntime().halt(0);
                                }));
        try {
            // The first pods need the processor more.
            boolean _ = forever.await(QUIET_SECONDS, TimeUnit.SECONDS);
            HeapTidying.start();
            forever.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
