package dev.atoll.oci.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// An image index (OCI image-spec, image-index.md; Docker's manifest list).
public record Index(List<Descriptor> entries) {
    public Index {
        entries = List.copyOf(entries);
    }

    /// The entries that may hold the program, best first: for the host, since containerd pulls that
    /// one and takes arguments, environment and root file system from it; then wasm; then without a
    /// platform. Attestations and entries of other platforms are left out.
    public List<Descriptor> candidates(Platform host) {
        var candidates = new ArrayList<Descriptor>();
        images().filter(entry -> entry.platform().equals(Optional.of(host)))
                .forEach(candidates::add);
        images().filter(entry -> entry.platform().filter(Platform::isWasm).isPresent())
                .forEach(candidates::add);
        images().filter(entry -> entry.platform().isEmpty()).forEach(candidates::add);
        return List.copyOf(candidates);
    }

    /// @return what the entries are for, for messages
    public List<String> platforms() {
        return images().map(entry -> entry.platform().map(Platform::toString).orElse("no platform"))
                .distinct()
                .toList();
    }

    private Stream<Descriptor> images() {
        return entries.stream()
                .filter(entry -> entry.platform().filter(Platform::isUnknown).isEmpty());
    }
}
