package dev.atoll.sandbox.engine;

import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import java.util.List;
import java.util.Optional;

/// As whom a guest works on files.
///
/// @param groups beside `gid`
/// @param umask empty for the engine's default
/// @param capabilities that it has, by their names; the engine knows which of them are about files
public record GuestUser(
        long uid, long gid, List<Long> groups, Optional<Long> umask, List<String> capabilities) {
    public GuestUser {
        groups = List.copyOf(groups);
        capabilities = List.copyOf(capabilities);
    }

    public static GuestUser of(ProcessSpec process) {
        return new GuestUser(
                process.user().uid(),
                process.user().gid(),
                process.user().additionalGids(),
                process.user().umask(),
                process.heldCapabilities());
    }
}
