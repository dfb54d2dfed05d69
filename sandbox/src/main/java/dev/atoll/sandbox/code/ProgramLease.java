package dev.atoll.sandbox.code;

import dev.atoll.sandbox.engine.CompiledModule;

/// The use of a program's compiled code by one guest. Closing is idempotent.
public final class ProgramLease implements AutoCloseable {
    private final String program;
    private final LoadedModules<CompiledModule>.Lease lease;

    ProgramLease(String program, LoadedModules<CompiledModule>.Lease lease) {
        this.program = program;
        this.lease = lease;
    }

    /// Digest or path, for people.
    public String program() {
        return program;
    }

    /// Shared: it must not be closed by who uses it.
    public CompiledModule module() {
        return lease.module();
    }

    /// Whether compiled code was found, in memory or on disk.
    public boolean hit() {
        return lease.hit();
    }

    @Override
    public void close() {
        lease.close();
    }
}
