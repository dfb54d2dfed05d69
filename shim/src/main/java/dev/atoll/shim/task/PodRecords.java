package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;

/// Finds what containerd's CRI plugin wrote down about a pod. May block for as long as containerd
/// takes to answer.
@FunctionalInterface
public interface PodRecords {
    /// @param pause the pod's pause container
    /// @return [CriPod#NONE] if CRI did not make it
    /// @throws dev.atoll.oci.OciException with one line for the user
    CriPod find(ContainerKey pause);
}
