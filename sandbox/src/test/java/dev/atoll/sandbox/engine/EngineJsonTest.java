package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class EngineJsonTest {
    @Test
    void aViewHasRootAndMountsInOrder() {
        ViewRequest request =
                new ViewRequest(
                        List.of(new RootfsMount("overlay", "overlay", "", List.of("lowerdir=/a"))),
                        "/b/rootfs",
                        true,
                        List.of(
                                ViewRequest.ViewMount.bind("/data", "/host", true, true),
                                ViewRequest.ViewMount.tmpfs("/run", false, List.of("size=64k"))));

        assertThat(EngineJson.view(request))
                .isEqualTo(
                        """
                        {"rootfs":[{"type":"overlay","source":"overlay","options":["lowerdir=/a"]}],\
                        "rootDirectory":"/b/rootfs","readonly":true,"mounts":[\
                        {"destination":"/data","source":"/host","type":"bind","readonly":true,"recursive":true,"options":[]},\
                        {"destination":"/run","type":"tmpfs","readonly":false,"recursive":false,"options":["size=64k"]}]}\
                        """);
    }

    @Test
    void aGuestLeavesOutStreamsAndExportThatItHasNot() {
        GuestSpec spec =
                new GuestSpec(
                        "k8s.io/a",
                        List.of("/app.wasm", "\"quoted\""),
                        List.of("K=V"),
                        "/",
                        Optional.empty(),
                        new Stdio("", "/out", ""),
                        65536);

        assertThat(EngineJson.guest(spec, 3))
                .isEqualTo(
                        """
                        {"name":"k8s.io/a","view":3,"args":["/app.wasm","\\"quoted\\""],"env":["K=V"],\
                        "cwd":"/","stdout":"/out","memoryLimit":65536}\
                        """);
    }

    @Test
    void aGuestNamesTheExportToCall() {
        GuestSpec spec =
                new GuestSpec("a", List.of("x"), List.of(), "/", Optional.of("run"), Stdio.NONE, 0);

        assertThat(EngineJson.guest(spec, 1)).contains("\"export\":\"run\"");
    }

    @Test
    void compilingNamesSourceAndOutput() {
        assertThat(EngineJson.compile("p", Path.of("/s"), Path.of("/o")))
                .isEqualTo("{\"name\":\"p\",\"source\":\"/s\",\"output\":\"/o\"}");
    }

    @Test
    void whatIsNotJsonIsTheEnginesFailure() {
        assertThatThrownBy(() -> EngineJson.parse(EngineFunction.MODULE_INFO, "{"))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("atoll_module_info");
    }
}
