package dev.atoll.sandbox;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;

/// Makes workloads. Thread-safe. Implemented by the wasm sandbox, and by a fake in the shim's
/// tests.
public interface WorkloadFactory extends AutoCloseable {
    /// Prepares files, streams and code; whatever is wrong with image, spec or program fails here.
    /// May block while a program is read and compiled; must not be called from a virtual thread's
    /// critical section.
    ///
    /// @throws SandboxException with one line for the user; nothing is left behind
    /// @throws dev.atoll.oci.OciException if the program's bytes cannot be had
    Workload guest(GuestRequest request);

    /// Makes the virtual pause of a pod: no process, no mount. Records the pod's network namespace,
    /// handler and annotations for its containers.
    ///
    /// @param pod what CRI wrote down about it
    Workload pause(ContainerKey container, RuntimeSpec spec, CriPod pod);

    @Override
    void close();
}
