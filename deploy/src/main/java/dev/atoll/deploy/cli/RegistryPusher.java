package dev.atoll.deploy.cli;

import dev.atoll.oci.Digest;
import dev.atoll.oci.registry.ArtifactPusher;
import dev.atoll.oci.registry.PushOptions;
import dev.atoll.oci.registry.RegistryClient;
import java.util.Map;
import java.util.Optional;

/// Pushes with the registry client of `dev.atoll.oci.registry`, whose shape only this class knows.
final class RegistryPusher implements PushCommand.Pusher {
    @Override
    public Digest push(PushCommand.Request request) {
        RegistryClient registry = new RegistryClient(request.plainHttp());
        PushOptions options = new PushOptions(request.entrypoint(), Optional.empty(), Map.of());
        return new ArtifactPusher(registry)
                .push(request.files(), request.reference(), options)
                .digest();
    }
}
