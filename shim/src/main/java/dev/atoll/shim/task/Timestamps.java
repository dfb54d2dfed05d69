package dev.atoll.shim.task;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/// Writes instants as protobuf timestamps.
public final class Timestamps {
    private Timestamps() {}

    public static Timestamp of(Instant instant) {
        return Timestamp.newBuilder()
                .setSeconds(instant.getEpochSecond())
                .setNanos(instant.getNano())
                .build();
    }
}
