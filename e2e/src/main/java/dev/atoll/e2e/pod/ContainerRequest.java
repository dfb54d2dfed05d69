package dev.atoll.e2e.pod;

import dev.atoll.cri.v1.ContainerConfig;
import dev.atoll.cri.v1.ImageSpec;
import dev.atoll.cri.v1.Int64Value;
import dev.atoll.cri.v1.KeyValue;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.LinuxContainerSecurityContext;
import dev.atoll.cri.v1.Mount;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// What a pod's spec says about one container.
///
/// @param config CRI's message, in which the name is all that must be there beside the image
public record ContainerRequest(ContainerConfig config) {
    /// Returns a container of an image, without a command, as users write it.
    public static ContainerRequest of(String image) {
        return new ContainerRequest(
                ContainerConfig.newBuilder()
                        .setImage(
                                ImageSpec.newBuilder().setImage(image).setUserSpecifiedImage(image))
                        .build());
    }

    /// Returns this container with arguments.
    public ContainerRequest args(String... words) {
        return with(config -> config.addAllArgs(List.of(words)));
    }

    /// Returns this container with a command instead of the image's entrypoint.
    public ContainerRequest command(String... words) {
        return with(config -> config.addAllCommand(List.of(words)));
    }

    /// Returns this container with one more variable in its environment.
    public ContainerRequest env(String name, String value) {
        return with(config -> config.addEnvs(KeyValue.newBuilder().setKey(name).setValue(value)));
    }

    /// Returns this container with a working directory.
    public ContainerRequest workingDirectory(String directory) {
        return with(config -> config.setWorkingDir(directory));
    }

    /// Returns this container with a directory or file of the node shown inside.
    public ContainerRequest mount(String onNode, String inside, boolean readOnly) {
        return with(config ->
                config.addMounts(
                        Mount.newBuilder()
                                .setHostPath(onNode)
                                .setContainerPath(inside)
                                .setReadonly(readOnly)));
    }

    /// Returns this container with standard input, which ends with the first client that attaches.
    public ContainerRequest stdin() {
        return with(config -> config.setStdin(true).setStdinOnce(true));
    }

    /// Returns this container at a terminal.
    public ContainerRequest terminal() {
        return with(config -> config.setStdin(true).setTty(true));
    }

    /// Returns this container with limits.
    public ContainerRequest limits(UnaryOperator<LinuxContainerResources.Builder> change) {
        return with(config -> {
            var _ = change.apply(config.getLinuxBuilder().getResourcesBuilder());
            return config;
        });
    }

    /// Returns this container with its securityContext changed.
    public ContainerRequest security(Consumer<LinuxContainerSecurityContext.Builder> change) {
        return with(config -> {
            change.accept(config.getLinuxBuilder().getSecurityContextBuilder());
            return config;
        });
    }

    /// Returns this container run as a user and a group, with supplementary groups as fsGroup is
    /// one.
    public ContainerRequest user(long uid, long gid, Long... groups) {
        return security(context ->
                context.setRunAsUser(Int64Value.newBuilder().setValue(uid))
                        .setRunAsGroup(Int64Value.newBuilder().setValue(gid))
                        .addAllSupplementalGroups(List.of(groups)));
    }

    /// Returns this container changed in any other way.
    public ContainerRequest with(UnaryOperator<ContainerConfig.Builder> change) {
        return new ContainerRequest(change.apply(config.toBuilder()).build());
    }
}
