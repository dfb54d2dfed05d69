package dev.atoll.sandbox.engine;

import java.nio.ByteBuffer;

/// What the engine reports: how a guest ended, or that a module is ready or failed.
public sealed interface EngineEvent {
    int RECORD_BYTES = 64;

    /// Guest or module.
    long id();

    /// The end of a guest, after its streams are drained and closed. Comes once per guest.
    sealed interface GuestEnd extends EngineEvent {
        GuestTimes times();
    }

    /// @param exitStatus 0..255
    record GuestExited(long id, int exitStatus, GuestTimes times) implements GuestEnd {}

    /// The trap was written to the guest's standard error.
    record GuestTrapped(long id, GuestTimes times) implements GuestEnd {}

    record GuestOutOfMemory(long id, GuestTimes times) implements GuestEnd {}

    /// @param signal as given to [Guest#kill]
    record GuestSignalled(long id, int signal, GuestTimes times) implements GuestEnd {}

    /// It could not be instantiated, or the engine failed under it.
    record GuestFailed(long id, GuestTimes times) implements GuestEnd {}

    /// @param code 0, or why it failed (ATOLL_E)
    record ModuleLoaded(long id, int code) implements EngineEvent {}

    /// A kind that this version does not know.
    record Unknown(long id, int kind) implements EngineEvent {}

    /// Decodes `struct atoll_event`.
    ///
    /// @param bytes little endian, [#RECORD_BYTES] from index 0
    static EngineEvent decode(ByteBuffer bytes) {
        long id = bytes.getLong(0);
        int kind = bytes.getInt(8);
        int code = bytes.getInt(12);
        GuestTimes times =
                new GuestTimes(
                        bytes.getLong(16),
                        bytes.getLong(24),
                        bytes.getLong(32),
                        bytes.getLong(40),
                        bytes.getLong(48),
                        bytes.getLong(56));
        return switch (kind) {
            case 1 -> new GuestExited(id, code, times);
            case 2 -> new GuestTrapped(id, times);
            case 3 -> new GuestOutOfMemory(id, times);
            case 4 -> new GuestSignalled(id, code, times);
            case 5 -> new GuestFailed(id, times);
            case 16 -> new ModuleLoaded(id, code);
            default -> new Unknown(id, kind);
        };
    }
}
