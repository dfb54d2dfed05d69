package dev.atoll.sandbox;

/// The container's program is no WebAssembly but a program of the node's kind, or names none that
/// is there: whoever runs native containers may take it. The message says so for a user who meant
/// it to be WebAssembly.
public final class NativeProgram extends SandboxException {
    private static final long serialVersionUID = 1L;

    public NativeProgram(String message) {
        super(message);
    }
}
