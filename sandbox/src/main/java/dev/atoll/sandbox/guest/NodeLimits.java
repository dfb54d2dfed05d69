package dev.atoll.sandbox.guest;

/// What the node's operator grants guests.
///
/// @param memory for all of them together
/// @param guests for each that asks for no limit
public record NodeLimits(MemoryShare memory, GuestDefaults guests) {
    public static final NodeLimits DEFAULTS =
            new NodeLimits(MemoryShare.DEFAULT, GuestDefaults.NONE);
}
