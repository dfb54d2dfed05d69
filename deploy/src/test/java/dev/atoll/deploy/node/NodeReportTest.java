package dev.atoll.deploy.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.deploy.install.InstalledVersion;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NodeReportTest {
    private static final InstalledVersion VERSION =
            new InstalledVersion("1.0+b", List.of("wasmtime"));

    private final FakeNode node = new FakeNode();

    @Test
    void aNodeWithACompleteInstallationIsLabelledOnce() throws Exception {
        NodeReport report = new NodeReport(node, () -> Optional.of(VERSION));

        assertThat(report.update()).contains("ready", "1.0+b");
        report.update();

        assertThat(node.labels())
                .isEqualTo(Map.of("atoll.dev/wasmtime", "ready", "atoll.dev/version", "1.0_b"));
        assertThat(node.events).containsExactly("Normal AtollReady");
        assertThat(node.patches).isEqualTo(1);
    }

    @Test
    void theLabelsGoWithTheInstallation() throws Exception {
        new NodeReport(node, () -> Optional.of(VERSION)).update();

        String state = new NodeReport(node, Optional::empty).update();

        assertThat(state).isEqualTo("not ready for WebAssembly: no installation is complete");
        assertThat(node.labels()).isEmpty();
        assertThat(node.events).containsExactly("Normal AtollReady", "Warning AtollNotReady");
    }

    @Test
    void aKubeletThatDoesNotKnowTheRuntimeMakesTheNodeUnfit() throws Exception {
        NodeReport report = new NodeReport(node, () -> Optional.of(VERSION));
        node.handlers("runc", "wasmtime");
        report.update();
        assertThat(node.labels()).containsKey("atoll.dev/wasmtime");

        node.handlers("runc");

        assertThat(report.update()).contains("kubelet does not list the runtime wasmtime");
        assertThat(node.labels()).doesNotContainKey("atoll.dev/wasmtime");
    }

    /// A Node object in memory.
    private static final class FakeNode implements NodeApi {
        private final JsonObject object =
                JsonParser.parseString("{\"metadata\":{\"labels\":{}},\"status\":{}}")
                        .getAsJsonObject();
        private final List<String> events = new ArrayList<>();
        private int patches;

        @Override
        public String name() {
            return "n";
        }

        @Override
        public JsonObject read() {
            return object.deepCopy();
        }

        @Override
        public void label(Map<String, Optional<String>> labels) {
            patches++;
            JsonObject present = object.getAsJsonObject("metadata").getAsJsonObject("labels");
            labels.forEach((label, value) -> {
                present.remove(label);
                value.ifPresent(text -> present.addProperty(label, text));
            });
        }

        @Override
        public void tell(boolean warning, String reason, String message) {
            events.add((warning ? "Warning " : "Normal ") + reason);
        }

        void handlers(String... names) {
            StringBuilder json = new StringBuilder("[");
            for (String name : names) {
                json.append(json.length() == 1 ? "" : ",").append("{\"name\":\"" + name + "\"}");
            }
            object.getAsJsonObject("status")
                    .add("runtimeHandlers", JsonParser.parseString(json + "]"));
        }

        Map<String, String> labels() {
            Map<String, String> labels = new HashMap<>();
            object.getAsJsonObject("metadata")
                    .getAsJsonObject("labels")
                    .entrySet()
                    .forEach(entry -> labels.put(entry.getKey(), entry.getValue().getAsString()));
            return labels;
        }
    }
}
