package dev.atoll.sandbox.engine;

/// @param maxGuests 0: as many as vm.max_map_count allows
/// @param workers threads that run guests; 0: one per core
public record EngineOptions(int maxGuests, int workers) {
    public static final EngineOptions DEFAULTS = new EngineOptions(0, 0);

    public EngineOptions {
        if (maxGuests < 0 || workers < 0) {
            throw new IllegalArgumentException(
                    "maxGuests %d and workers %d must not be negative"
                            .formatted(maxGuests, workers));
        }
    }
}
