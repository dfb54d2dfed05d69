package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.network.GuestNetwork;

/// The network that a guest is given.
public record NetworkSpec(GuestNetwork network, Policy policy) {}
