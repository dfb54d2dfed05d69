package dev.atoll.sandbox.http;

import dev.atoll.oci.OneLine;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The settings of an HTTP server: the one place with their names, defaults and ranges. In the
/// node's configuration they are keys of `[http]`, in a pod annotations `atoll.dev/http-KEY`.
public enum HttpSetting {
    /// How long a guest may take until the head of its response, else 504. 10ms to 24h; 60s.
    REQUEST_TIMEOUT(
            "request-timeout",
            "requestTimeoutMillis",
            SettingKind.DURATION,
            60_000,
            10,
            Limits.DAY),

    /// How long a request's head may take to arrive, from its first byte. 10ms to 1h; 10s.
    HEADER_TIMEOUT(
            "header-timeout", "headerTimeoutMillis", SettingKind.DURATION, 10_000, 10, Limits.HOUR),

    /// How long a connection may be without a request. 10ms to 24h; 120s.
    IDLE_TIMEOUT(
            "idle-timeout", "idleTimeoutMillis", SettingKind.DURATION, 120_000, 10, Limits.DAY),

    /// How long a body may make no progress, in either direction. 10ms to 24h; 30s.
    STALL_TIMEOUT(
            "stall-timeout", "stallTimeoutMillis", SettingKind.DURATION, 30_000, 10, Limits.DAY),

    /// Greatest head of a request, else 431. 8KiB to 1MiB; 64KiB.
    MAX_HEADER_BYTES(
            "max-header-bytes", "maxHeaderBytes", SettingKind.BYTES, 64 << 10, 8 << 10, 1 << 20),

    /// Greatest body of a request, else 413; 0: no limit. Up to 1024GiB; 0.
    MAX_BODY_BYTES("max-body-bytes", "maxBodyBytes", SettingKind.BYTES, 0, 0, 1L << 40),

    /// Requests that the guest works on at once; further ones wait. 1 to 100000; 100.
    MAX_CONCURRENT_REQUESTS(
            "max-concurrent-requests", "maxConcurrent", SettingKind.COUNT, 100, 1, 100_000),

    /// Requests that wait for their turn; beyond, 503. 0 to 1000000; 1000.
    MAX_QUEUED_REQUESTS("max-queued-requests", "maxQueued", SettingKind.COUNT, 1_000, 0, 1_000_000),

    /// How long a request waits for its turn, then 503. 10ms to 1h; 10s.
    QUEUE_TIMEOUT(
            "queue-timeout", "queueTimeoutMillis", SettingKind.DURATION, 10_000, 10, Limits.HOUR),

    /// Open connections; beyond, they wait in the kernel's queue. 1 to 1000000; 16384.
    MAX_CONNECTIONS("max-connections", "maxConnections", SettingKind.COUNT, 16_384, 1, 1_000_000),

    /// How many requests an instance serves before it is replaced; 1: each has a fresh one. 1 to
    /// 1000000; 1.
    REUSE_REQUESTS("reuse-requests", "reuseRequests", SettingKind.COUNT, 1, 1, 1_000_000),

    /// How long an instance that could serve more requests is kept without one. 10ms to 24h; 10s.
    REUSE_IDLE("reuse-idle", "reuseIdleMillis", SettingKind.DURATION, 10_000, 10, Limits.DAY),

    /// How long new requests are still taken after SIGTERM, since a Service goes on sending some
    /// for a while. 0s to 1h; 3s.
    DRAIN("drain", "drainMillis", SettingKind.DURATION, 3_000, 0, Limits.HOUR);

    private final String key;
    private final String member;
    private final SettingKind kind;
    private final long byDefault;
    private final long least;
    private final long greatest;

    HttpSetting(
            String key,
            String member,
            SettingKind kind,
            long byDefault,
            long least,
            long greatest) {
        this.key = key;
        this.member = member;
        this.kind = kind;
        this.byDefault = byDefault;
        this.least = least;
        this.greatest = greatest;
    }

    /// Its name for users, such as `request-timeout`.
    public String key() {
        return key;
    }

    /// Its name in the JSON of `atoll_engine.h`.
    public String member() {
        return member;
    }

    public SettingKind kind() {
        return kind;
    }

    /// Milliseconds, bytes or a count.
    public long byDefault() {
        return byDefault;
    }

    /// The default as it would be written.
    public String defaultText() {
        return kind.text(byDefault);
    }

    /// What is accepted, in words: `a duration from 10ms to 24h, such as ..`.
    public String accepted() {
        return kind.range(least, greatest) + (this == MAX_BODY_BYTES ? "; 0 is for no limit" : "");
    }

    public static Optional<HttpSetting> of(String key) {
        return Arrays.stream(values()).filter(setting -> setting.key.equals(key)).findFirst();
    }

    public static List<String> keys() {
        return Arrays.stream(values()).map(HttpSetting::key).toList();
    }

    /// @return milliseconds, bytes or a count
    /// @throws InvalidSetting if it is written otherwise or out of range
    public long parse(String text) throws InvalidSetting {
        OptionalLong value = kind.read(text);
        if (value.isEmpty() || !isInRange(value.getAsLong())) {
            throw new InvalidSetting(
                    "expected %s, found %s".formatted(accepted(), OneLine.quoted(text)));
        }
        return value.getAsLong();
    }

    /// @throws InvalidSetting if it is out of range, or of a kind that needs a unit
    public long check(long number) throws InvalidSetting {
        if (!kind.isPlainNumber() || !isInRange(number)) {
            throw new InvalidSetting("expected %s, found %d".formatted(accepted(), number));
        }
        return number;
    }

    boolean isInRange(long value) {
        return value >= least && value <= greatest;
    }

    private static final class Limits {
        static final long HOUR = 3_600_000;
        static final long DAY = 24 * HOUR;
    }
}
