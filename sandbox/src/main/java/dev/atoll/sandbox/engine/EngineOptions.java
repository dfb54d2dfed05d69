package dev.atoll.sandbox.engine;

/// @param maxGuests 0: as many as vm.max_map_count allows
/// @param workers threads that run guests; 0: one per core
/// @param memory bytes for all guests together; 0: no limit
public record EngineOptions(int maxGuests, int workers, long memory) {
    public static final EngineOptions DEFAULTS = new EngineOptions(0, 0, 0);

    public EngineOptions withMemory(long bytes) {
        return new EngineOptions(maxGuests, workers, bytes);
    }

    public EngineOptions {
        if (maxGuests < 0 || workers < 0 || memory < 0) {
            throw new IllegalArgumentException(
                    "maxGuests %d, workers %d and memory %d must not be negative"
                            .formatted(maxGuests, workers, memory));
        }
    }
}
