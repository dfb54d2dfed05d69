package dev.atoll.shim;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the daemon was started with.
///
/// @param containerd gRPC socket of containerd
/// @param containerdTtrpc its ttrpc socket, which takes events
/// @param config a configuration file that must be there; empty: `/etc/atoll/config.toml`, if it is
/// @param engineLibrary `libatoll_engine.so`; the engine looks for it itself if empty
/// @param check only find out whether it could start
public record DaemonFlags(
        Path runDirectory,
        Path stateDirectory,
        Path containerd,
        Path containerdTtrpc,
        Optional<Path> config,
        Optional<Path> engineLibrary,
        boolean debug,
        boolean check) {
    static final String USAGE =
            """
            Usage: atolld [flags]
            Hosts the WebAssembly guests of a node; containerd drives it through containerd-shim-wasmtime-v1.

              --run-dir DIR           sockets and lock file (default /run/atoll)
              --state-dir DIR         cache of compiled code (default /var/lib/atoll)
              --config FILE           configuration (default /etc/atoll/config.toml, which may be missing)
              --containerd SOCKET     gRPC socket of containerd (default /run/containerd/containerd.sock)
              --containerd-ttrpc SOCKET
                                      ttrpc socket of containerd (default: the gRPC socket with .ttrpc)
              --engine-library FILE   libatoll_engine.so (default: beside the program)
              --debug                 log each refused call, too
              --check                 read the configuration, load the engine, and end; the run directory is not used
              --version               print the version
              --help                  print this
            """;

    /// A flag is wrong; the message is one line.
    static final class InvalidFlags extends Exception {
        private static final long serialVersionUID = 1L;

        InvalidFlags(String message) {
            super(message);
        }
    }

    /// Accepts `--flag value` and `--flag=value`.
    static DaemonFlags parse(List<String> arguments) throws InvalidFlags {
        Path run = Path.of("/run/atoll");
        Path state = Path.of("/var/lib/atoll");
        Path containerd = Path.of("/run/containerd/containerd.sock");
        Optional<Path> ttrpc = Optional.empty();
        Optional<Path> config = Optional.empty();
        Optional<Path> library = Optional.empty();
        boolean debug = false;
        boolean check = false;
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("--debug")) {
                debug = true;
                continue;
            }
            if (argument.equals("--check")) {
                check = true;
                continue;
            }
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            Path value;
            switch (name) {
                case "--run-dir",
                        "--state-dir",
                        "--containerd",
                        "--containerd-ttrpc",
                        "--config",
                        "--engine-library" -> {
                    if (equals < 0 && ++i == arguments.size()) {
                        throw new InvalidFlags("flag %s has no value: see --help".formatted(name));
                    }
                    String text = equals < 0 ? arguments.get(i) : argument.substring(equals + 1);
                    if (text.isEmpty()) {
                        throw new InvalidFlags(
                                "flag %s has an empty value: expected a path".formatted(name));
                    }
                    value = Path.of(text).toAbsolutePath();
                }
                default ->
                        throw new InvalidFlags("unknown flag %s: see --help".formatted(argument));
            }
            switch (name) {
                case "--run-dir" -> run = value;
                case "--state-dir" -> state = value;
                case "--containerd" -> containerd = value;
                case "--containerd-ttrpc" -> ttrpc = Optional.of(value);
                case "--config" -> config = Optional.of(value);
                default -> library = Optional.of(value);
            }
        }
        return new DaemonFlags(
                run,
                state,
                containerd,
                ttrpc.orElse(Path.of(containerd + ".ttrpc")),
                config,
                library,
                debug,
                check);
    }
}
