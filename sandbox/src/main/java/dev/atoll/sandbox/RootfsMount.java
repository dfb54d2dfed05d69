package dev.atoll.sandbox;

import java.util.List;

/// A mount of the container's root file system as containerd's CreateTask request carries it
/// (`containerd.types.Mount`).
public record RootfsMount(String type, String source, String target, List<String> options) {
    public RootfsMount {
        options = List.copyOf(options);
    }
}
