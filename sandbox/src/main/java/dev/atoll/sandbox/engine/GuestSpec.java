package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.Stdio;
import java.util.List;
import java.util.Optional;

/// What a guest is started with.
///
/// @param name for messages
/// @param export function to call; empty for the program's own entry
/// @param memoryLimit bytes; 0 for none
/// @param maxOpenFiles files and directories at the same time; 0 for no limit
/// @param http empty for a program that serves no HTTP
public record GuestSpec(
        String name,
        List<String> args,
        List<String> env,
        String cwd,
        Optional<String> export,
        Stdio stdio,
        long memoryLimit,
        GuestUser user,
        long maxOpenFiles,
        NetworkSpec network,
        Optional<HttpSpec> http) {
    public GuestSpec {
        args = List.copyOf(args);
        env = List.copyOf(env);
    }
}
