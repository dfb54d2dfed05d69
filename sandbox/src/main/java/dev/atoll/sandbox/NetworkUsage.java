package dev.atoll.sandbox;

/// @param openSockets those of outgoing HTTP included
/// @param policyRefusals what the policy did not allow
public record NetworkUsage(long openSockets, long policyRefusals) {
    public static final NetworkUsage NONE = new NetworkUsage(0, 0);
}
