package dev.atoll.oci.containerd;

import dev.atoll.containerd.leases.v1.AddResourceRequest;
import dev.atoll.containerd.leases.v1.CreateRequest;
import dev.atoll.containerd.leases.v1.DeleteRequest;
import dev.atoll.containerd.leases.v1.LeasesGrpc;
import dev.atoll.containerd.leases.v1.Resource;
import dev.atoll.oci.Digest;
import dev.atoll.oci.OciException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes leases: content under a lease survives containerd's garbage collection, also when its
/// image is deleted meanwhile. Thread-safe: immutable.
final class Leases {
    private static final Logger LOGGER = LoggerFactory.getLogger(Leases.class);

    /// After this instant containerd collects the lease by itself, so that a daemon that dies while
    /// it reads leaves nothing (containerd, docs/garbage-collection.md).
    private static final String EXPIRE_LABEL = "containerd.io/gc.expire";

    private static final Duration MARGIN = Duration.ofMinutes(1);

    private final ContainerdChannel channel;
    private final InstantSource clock;
    private final Duration longestUse;

    Leases(ContainerdChannel channel, InstantSource clock, Duration longestUse) {
        this.channel = channel;
        this.clock = clock;
        this.longestUse = longestUse;
    }

    /// Holds `content` until the result is closed.
    Lease hold(String namespace, Digest content) {
        String id = "atoll-" + UUID.randomUUID();
        String expiry =
                clock.instant()
                        .plus(longestUse)
                        .plus(MARGIN)
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString();
        channel.call(
                namespace,
                "taking a lease on content " + content,
                LeasesGrpc::newBlockingStub,
                stub ->
                        stub.create(
                                CreateRequest.newBuilder()
                                        .setId(id)
                                        .putLabels(EXPIRE_LABEL, expiry)
                                        .build()));
        var lease = new Lease(namespace, id);
        try {
            channel.call(
                    namespace,
                    "adding content " + content + " to a lease",
                    LeasesGrpc::newBlockingStub,
                    stub ->
                            stub.addResource(
                                    AddResourceRequest.newBuilder()
                                            .setId(id)
                                            .setResource(
                                                    Resource.newBuilder()
                                                            .setType("content")
                                                            .setId(content.toString()))
                                            .build()));
        } catch (OciException e) {
            lease.close();
            throw e;
        }
        return lease;
    }

    /// A lease that is held. Closing it never throws: containerd collects it when it expires.
    final class Lease implements AutoCloseable {
        private final String namespace;
        private final String id;

        private Lease(String namespace, String id) {
            this.namespace = namespace;
            this.id = id;
        }

        @Override
        public void close() {
            try {
                channel.call(
                        namespace,
                        "deleting lease " + id,
                        LeasesGrpc::newBlockingStub,
                        stub -> stub.delete(DeleteRequest.newBuilder().setId(id).build()));
            } catch (OciException e) {
                LOGGER.atWarn()
                        .addKeyValue("namespace", namespace)
                        .addKeyValue("lease", id)
                        .addKeyValue("error", e.getMessage())
                        .log("lease not deleted; containerd drops it when it expires");
            }
        }
    }
}
