package dev.atoll.shim;

import dev.atoll.oci.program.ProgramFinder;
import dev.atoll.sandbox.WorkloadFactory;
import dev.atoll.shim.task.BundleSpecs;
import dev.atoll.shim.task.PodRecords;
import java.io.IOException;
import java.util.function.Supplier;

/// What the shim builds on: how specs and pods' records are read, programs found and workloads
/// made.
///
/// @param nativeRuntime the shim that runs containers which are not WebAssembly: a path, or a name
///   on `PATH`
/// @param engine JSON of the engine, for `Info`
/// @param closer releases what is not the workloads'
public record Backend(
        BundleSpecs specs,
        PodRecords pods,
        ProgramFinder programs,
        WorkloadFactory workloads,
        String nativeRuntime,
        Supplier<String> engine,
        AutoCloseable closer) {

    /// Opens a backend.
    @FunctionalInterface
    public interface Opener {
        /// @throws IOException with one line if it cannot work on this node
        Backend open(DaemonFlags flags) throws IOException;
    }
}
