package dev.atoll.sandbox.engine;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import java.util.List;
import java.util.Optional;

/// What a guest is started with.
///
/// @param name for messages
/// @param export function to call; empty for the program's own entry
/// @param terminal at its first size; empty for none
/// @param limits of its container; not looked at if it joins another guest
/// @param joins the guest whose container it belongs to; empty for a container's own guest
/// @param maxOpenFiles files and directories at the same time; 0 for no limit
/// @param http empty for a program that serves no HTTP
public record GuestSpec(
        String name,
        List<String> args,
        List<String> env,
        String cwd,
        Optional<String> export,
        Stdio stdio,
        Optional<TerminalSize> terminal,
        Resources limits,
        Optional<Guest> joins,
        GuestUser user,
        long maxOpenFiles,
        NetworkSpec network,
        Optional<HttpSpec> http) {
    public GuestSpec {
        args = List.copyOf(args);
        env = List.copyOf(env);
    }
}
