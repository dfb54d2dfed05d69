package dev.atoll.shim.relay;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.engine.NamespaceFile;
import dev.atoll.shim.status.Unavailable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A process of the launcher's that made namespaces, and the namespaces that are held open here.
/// They last until this is closed or the daemon ends, whatever becomes of the process; except that
/// a namespace of processes ends with its first one. Thread-safe.
final class NamespaceHolder implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final String READY = "ready";

    private final Process process;
    private final Map<String, NamespaceFile> namespaces;

    private NamespaceHolder(Process process, Map<String, NamespaceFile> namespaces) {
        this.process = process;
        this.namespaces = Map.copyOf(namespaces);
    }

    /// @param arguments of the launcher's `namespaces`
    /// @param files below `/proc/PID/ns` that are to be held
    /// @throws Unavailable with one line if they cannot be made
    static NamespaceHolder start(Path launcher, List<String> arguments, List<String> files) {
        List<String> command = new ArrayList<>(List.of(launcher.toString(), "namespaces"));
        command.addAll(arguments);
        Process process;
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .directory(Path.of("/").toFile());
            builder.environment().clear();
            process = builder.start();
        } catch (IOException e) {
            throw new Unavailable(
                    "namespaces for native containers cannot be made: " + e.getMessage());
        }
        Map<String, NamespaceFile> namespaces = new HashMap<>();
        try {
            awaitReady(process, launcher);
            for (String file : files) {
                namespaces.put(
                        file,
                        NamespaceFile.open(Path.of("/proc/" + process.pid() + "/ns/" + file)));
            }
            // Only while it lives is its pid its own: what was opened was not another process'.
            if (!process.isAlive()) {
                throw new Unavailable(
                        "namespaces for native containers are gone: the process that made them ended");
            }
            return new NamespaceHolder(process, namespaces);
        } catch (RuntimeException e) {
            namespaces.values().forEach(NamespaceFile::close);
            process.destroyForcibly();
            throw e;
        }
    }

    private static void awaitReady(Process process, Path launcher) {
        BufferedReader output =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        try {
            Optional<String> line =
                    Programs.call(
                            "namespaces",
                            () -> Optional.ofNullable(output.readLine()),
                            DEADLINE,
                            launcher.toString());
            if (!line.equals(Optional.of(READY))) {
                throw new Unavailable(
                        OneLine.of(line.orElse("namespaces for native containers cannot be made")));
            }
        } catch (IOException e) {
            throw new Unavailable(
                    "namespaces for native containers cannot be made: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unavailable("interrupted while namespaces for native containers were made");
        }
    }

    /// @param file as it was named when this was started
    Path namespace(String file) {
        NamespaceFile namespace = namespaces.get(file);
        if (namespace == null) {
            throw new IllegalArgumentException("namespace " + file + " was not asked for");
        }
        return namespace.path();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// Lets the process end; namespaces that are held stay.
    NamespaceHolder releaseProcess() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroyForcibly();
            throw new UncheckedIOException("the process with namespaces did not hear", e);
        }
        return this;
    }

    @Override
    public void close() {
        namespaces.values().forEach(NamespaceFile::close);
        releaseProcess();
    }
}
