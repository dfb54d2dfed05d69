package dev.atoll.e2e.pod;

import dev.atoll.cri.v1.DNSConfig;
import dev.atoll.cri.v1.LinuxPodSandboxConfig;
import dev.atoll.cri.v1.LinuxSandboxSecurityContext;
import dev.atoll.cri.v1.NamespaceMode;
import dev.atoll.cri.v1.NamespaceOption;
import dev.atoll.cri.v1.PodSandboxConfig;
import dev.atoll.cri.v1.PodSandboxMetadata;
import dev.atoll.cri.v1.PortMapping;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/// What a pod's spec says beside its containers.
///
/// @param handler the runtime handler, which a RuntimeClass names
/// @param config CRI's message
public record PodRequest(String handler, PodSandboxConfig config) {
    /// Returns a pod of a runtime handler, with a name of its own and otherwise as a kubelet with
    /// default settings makes it.
    public static PodRequest of(String handler) {
        String uid = UUID.randomUUID().toString();
        String name = "pod-" + uid.substring(0, 8);
        return new PodRequest(
                handler,
                PodSandboxConfig.newBuilder()
                        .setMetadata(
                                PodSandboxMetadata.newBuilder()
                                        .setName(name)
                                        .setUid(uid)
                                        .setNamespace("default"))
                        .setHostname(name)
                        .setLogDirectory("/var/log/pods/default_%s_%s".formatted(name, uid))
                        .setDnsConfig(
                                DNSConfig.newBuilder()
                                        .addServers("10.96.0.10")
                                        .addSearches("default.svc.cluster.local"))
                        .putAllLabels(
                                Map.of(
                                        "io.kubernetes.pod.name", name,
                                        "io.kubernetes.pod.namespace", "default",
                                        "io.kubernetes.pod.uid", uid))
                        .setLinux(
                                LinuxPodSandboxConfig.newBuilder()
                                        .setCgroupParent("/kubepods/besteffort/pod" + uid)
                                        .setSecurityContext(
                                                LinuxSandboxSecurityContext.newBuilder()
                                                        .setNamespaceOptions(namespaces())))
                        .build());
    }

    private static NamespaceOption namespaces() {
        return NamespaceOption.newBuilder()
                .setNetwork(NamespaceMode.POD)
                .setPid(NamespaceMode.CONTAINER)
                .setIpc(NamespaceMode.POD)
                .build();
    }

    /// Returns this pod with an annotation.
    public PodRequest annotation(String name, String value) {
        return with(config -> config.putAnnotations(name, value));
    }

    /// Returns this pod with one of Atoll's settings of HTTP, e.g. `request-timeout`.
    public PodRequest http(String setting, Object value) {
        return annotation("atoll.dev/http-" + setting, value.toString());
    }

    /// Returns this pod with a label.
    public PodRequest label(String name, String value) {
        return with(config -> config.putLabels(name, value));
    }

    /// Returns this pod with a port of the node that leads to one of its own.
    public PodRequest hostPort(int onNode, int inside) {
        return with(config ->
                config.addPortMappings(
                        PortMapping.newBuilder().setHostPort(onNode).setContainerPort(inside)));
    }

    /// Returns this pod in the node's network.
    public PodRequest hostNetwork() {
        return with(config ->
                config.getLinuxBuilder()
                        .getSecurityContextBuilder()
                        .getNamespaceOptionsBuilder()
                        .setNetwork(NamespaceMode.NODE));
    }

    /// Returns this pod with processes that its containers share.
    public PodRequest shareProcesses() {
        return processes(NamespaceMode.POD);
    }

    /// Returns this pod with the node's processes in sight.
    public PodRequest hostProcesses() {
        return processes(NamespaceMode.NODE);
    }

    private PodRequest processes(NamespaceMode whose) {
        return with(config ->
                config.getLinuxBuilder()
                        .getSecurityContextBuilder()
                        .getNamespaceOptionsBuilder()
                        .setPid(whose));
    }

    /// Returns this pod as one that may have privileged containers.
    public PodRequest privileged() {
        return with(
                config -> config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true));
    }

    /// Returns this pod with search domains and options in its `/etc/resolv.conf`.
    public PodRequest dns(List<String> searches, String... options) {
        return with(config ->
                config.getDnsConfigBuilder()
                        .clearSearches()
                        .addAllSearches(searches)
                        .addAllOptions(List.of(options)));
    }

    /// Returns this pod with other name servers.
    public PodRequest dnsServers(String... servers) {
        return with(config ->
                config.getDnsConfigBuilder().clearServers().addAllServers(List.of(servers)));
    }

    private PodRequest with(Consumer<PodSandboxConfig.Builder> change) {
        PodSandboxConfig.Builder builder = config.toBuilder();
        change.accept(builder);
        return new PodRequest(handler, builder.build());
    }

    /// Returns the namespaces that containers of the pod have, too.
    NamespaceOption containerNamespaces() {
        return config.getLinux().getSecurityContext().getNamespaceOptions();
    }
}
