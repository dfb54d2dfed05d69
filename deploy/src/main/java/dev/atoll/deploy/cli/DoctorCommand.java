package dev.atoll.deploy.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.atoll.deploy.install.Finding;
import dev.atoll.deploy.install.Finding.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// `atoll doctor`: what is wrong with this node, and what to do about it.
record DoctorCommand(Examination examination) implements Command {
    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /// Looks at a node.
    interface Examination {
        List<Finding> examine(Path host, String prefix, Optional<String> socket, boolean withPod);
    }

    @Override
    public String name() {
        return "doctor";
    }

    @Override
    public String summary() {
        return "Examine the node: installation, containerd, daemon, and a pod";
    }

    @Override
    public String help() {
        return """
        Usage: atoll doctor [OPTION...]
        Looks at the system, the installation, containerd and what it resolved its configuration to, the launcher, the
        daemon and its cache, and runs a pod that pulls nothing and is removed again. Tells what to do about what is
        wrong; fails if anything is. Needs root.

          --json               print JSON: an array of {subject, verdict, found, remedy}
          --no-pod             run no pod
          --host DIR           where the node's root directory is seen (default /)
          --prefix DIR         the installation's directory on the node (default /opt/atoll)
          --containerd SOCKET  the containerd to look at, where several run
        """;
    }

    @Override
    public Options options() {
        return new Options(
                Set.of("--json", "--no-pod"), Set.of("--host", "--prefix", "--containerd"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        List<Finding> findings =
                examination.examine(
                        HostArguments.host(arguments),
                        HostArguments.prefix(arguments),
                        arguments.value("--containerd"),
                        !arguments.has("--no-pod"));
        console.out().print(arguments.has("--json") ? json(findings) : text(findings));
        long wrong =
                findings.stream().filter(finding -> finding.verdict() == Verdict.WRONG).count();
        if (wrong > 0) {
            throw new CommandFailed("%d things are wrong: see above".formatted(wrong));
        }
    }

    private static String text(List<Finding> findings) {
        StringBuilder text = new StringBuilder();
        for (Finding finding : findings) {
            text.append(
                    "%-5s %s: %s%n"
                            .formatted(
                                    finding.verdict().name().toLowerCase(Locale.ROOT),
                                    finding.subject(),
                                    Printable.of(finding.found())));
            finding.remedy()
                    .ifPresent(
                            remedy -> text.append("      → %s%n".formatted(Printable.of(remedy))));
        }
        return text.toString();
    }

    private static String json(List<Finding> findings) {
        JsonArray array = new JsonArray();
        for (Finding finding : findings) {
            JsonObject object = new JsonObject();
            object.addProperty("subject", finding.subject());
            object.addProperty("verdict", finding.verdict().name().toLowerCase(Locale.ROOT));
            object.addProperty("found", finding.found());
            finding.remedy().ifPresent(remedy -> object.addProperty("remedy", remedy));
            array.add(object);
        }
        return GSON.toJson(array) + "\n";
    }
}
