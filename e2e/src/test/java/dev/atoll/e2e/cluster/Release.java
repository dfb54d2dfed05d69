package dev.atoll.e2e.cluster;

import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The release of Atoll's chart by which a cluster has Atoll, driven by helm as its administrator
/// would.
///
/// @param kubeconfig the administrator's
record Release(Path kubeconfig) {
    /// Where the documents install it.
    static final String NAMESPACE = "atoll-system";

    private static final String NAME = "atoll";

    /// Changes values, given as `name=value`; the others stay. Waits until everything is ready.
    void upgrade(String... values) {
        List<String> words = new ArrayList<>(List.of("upgrade", NAME, chart(), "--reuse-values"));
        words.addAll(List.of("--wait", "--timeout", "100s"));
        for (String value : values) {
            words.addAll(List.of("--set", value));
        }
        helm("", words);
    }

    /// Installs it with values in YAML, and waits until everything is ready.
    void install(String values) {
        helm(
                values,
                List.of("install", NAME, chart(), "--values", "-", "--wait", "--timeout", "100s"));
    }

    /// Removes it.
    void uninstall() {
        helm("", List.of("uninstall", NAME, "--wait", "--timeout", "100s"));
    }

    /// Runs its tests, and returns what helm says.
    String test() {
        return helm("", List.of("test", NAME, "--timeout", "100s"));
    }

    /// Returns, as YAML, the values that are not the chart's own.
    String values() {
        return helm("", List.of("get", "values", NAME, "--output", "yaml"));
    }

    private String helm(String input, List<String> arguments) {
        Path program = Checkout.root().resolve("target/tools/helm/helm");
        if (!Files.exists(program)) {
            throw new IllegalStateException(
                    "no helm at " + program + ": get it with e2e/node/prepare chart");
        }
        List<String> words = new ArrayList<>(List.of(program.toString(), "--namespace", NAMESPACE));
        words.addAll(arguments);
        return Command.of(words)
                .withEnvironment(Map.of("KUBECONFIG", kubeconfig.toString()))
                .withInput(input)
                .run()
                .orThrow("helm " + arguments.getFirst());
    }

    private static String chart() {
        return Checkout.root().resolve("deploy/chart").toString();
    }
}
