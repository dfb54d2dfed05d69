package dev.atoll.sandbox.guest;

import static dev.atoll.sandbox.guest.SandboxFixture.layer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.sandbox.WorkloadEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What guests see as files. Needs root, as mounts do.
@TestInstance(Lifecycle.PER_CLASS)
final class GuestFilesIT {
    private final SandboxFixture fixture;

    GuestFilesIT(@TempDir Path directory) {
        fixture = new SandboxFixture(directory);
    }

    @AfterAll
    void close() {
        fixture.close();
    }

    private static Specs reading(String path) {
        return new Specs().args("/app.wasm", path);
    }

    private String read(Specs specs) throws Exception {
        SandboxFixture.Run run = fixture.run(layer("read.wat"), specs);
        return run.end() + " " + run.stdout();
    }

    private int write(Specs specs) throws Exception {
        WorkloadEnd end = fixture.run(layer("write.wat"), specs).end();
        assertThat(end).isInstanceOf(WorkloadEnd.Exited.class);
        return end.exitStatus();
    }

    private static String content(String text) {
        return new WorkloadEnd.Exited(0) + " " + text;
    }

    @Test
    void theRootIsTheImages() throws Exception {
        Files.writeString(fixture.rootfs().resolve("in-image"), "image");

        assertThat(read(reading("in-image"))).isEqualTo(content("image"));
    }

    @Test
    void aDirectoryIsBoundForReadingAndWriting() throws Exception {
        Path volume = Files.createDirectories(fixture.path("volume-rw"));
        Files.writeString(volume.resolve("file"), "volume");

        assertThat(read(reading("data/file").mount("/data", "bind", volume.toString(), "rbind")))
                .isEqualTo(content("volume"));
        assertThat(write(reading("data/new").mount("/data", "bind", volume.toString(), "rbind")))
                .isZero();
        assertThat(volume.resolve("new")).hasContent("written");
    }

    @Test
    void aReadOnlyDirectoryCannotBeWritten() throws Exception {
        Path volume = Files.createDirectories(fixture.path("volume-ro"));
        Files.writeString(volume.resolve("file"), "volume");

        assertThat(
                        read(
                                reading("data/file")
                                        .mount("/data", "bind", volume.toString(), "rbind", "ro")))
                .isEqualTo(content("volume"));
        assertThat(
                        write(
                                reading("data/new")
                                        .mount("/data", "bind", volume.toString(), "rbind", "ro")))
                .isNotZero();
        assertThat(volume.resolve("new")).doesNotExist();
    }

    @Test
    void singleFilesAreBound() throws Exception {
        Path file = Files.writeString(fixture.path("hosts"), "hosts");
        Path log = Files.createFile(fixture.path("termination"));

        assertThat(read(reading("etc/hosts").mount("/etc/hosts", "bind", file.toString(), "rbind")))
                .isEqualTo(content("hosts"));
        assertThat(
                        write(
                                reading("dev/termination-log")
                                        .mount(
                                                "/dev/termination-log",
                                                "bind",
                                                log.toString(),
                                                "rbind")))
                .isZero();
        assertThat(log).hasContent("written");
        assertThat(
                        write(
                                reading("etc/hosts")
                                        .mount(
                                                "/etc/hosts",
                                                "bind",
                                                file.toString(),
                                                "bind",
                                                "ro")))
                .isNotZero();
        assertThat(file).hasContent("hosts");
    }

    @Test
    void aConfigMapsLinksAreFollowedInsideTheVolume() throws Exception {
        Path volume = Files.createDirectories(fixture.path("config"));
        Path version = Files.createDirectories(volume.resolve("..2026_11_22"));
        Files.writeString(version.resolve("key"), "value");
        Files.createSymbolicLink(volume.resolve("..data"), Path.of("..2026_11_22"));
        Files.createSymbolicLink(volume.resolve("key"), Path.of("..data/key"));

        assertThat(
                        read(
                                reading("config/key")
                                        .mount(
                                                "/config",
                                                "bind",
                                                volume.toString(),
                                                "rbind",
                                                "ro")))
                .isEqualTo(content("value"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../../../../../../../etc/passwd", "/proc/1/environ"})
    void aLinkDoesNotLeadOutOfTheView(String target) throws Exception {
        Path volume = Files.createDirectories(fixture.path("escape" + target.hashCode()));
        Files.createSymbolicLink(volume.resolve("link"), Path.of(target));

        SandboxFixture.Run run =
                fixture.run(
                        layer("read.wat"),
                        reading("data/link").mount("/data", "bind", volume.toString(), "rbind"));

        assertThat(run.end().exitStatus()).isNotZero();
        assertThat(run.stdout()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../../etc/passwd", "data/../../etc/passwd", "/etc/passwd"})
    void aPathDoesNotLeadOutOfTheView(String path) throws Exception {
        SandboxFixture.Run run = fixture.run(layer("read.wat"), reading(path));

        assertThat(run.end().exitStatus()).isNotZero();
        assertThat(run.stdout()).isEmpty();
    }

    @Test
    void aReadOnlyRootCannotBeWritten() throws Exception {
        assertThat(write(reading("new-file").readonly())).isNotZero();
        assertThat(fixture.rootfs().resolve("new-file")).doesNotExist();
    }

    @Test
    void aTmpfsIsWritableAndGoneWithItsGuest() throws Exception {
        Specs specs = reading("run/new").mount("/run", "tmpfs", "tmpfs", "size=64k", "mode=755");

        assertThat(write(specs.readonly())).isZero();
        assertThat(fixture.rootfs().resolve("run/new")).doesNotExist();
    }

    @Test
    void nothingIsMountedOnTheHost() throws Exception {
        Path volume = Files.createDirectories(fixture.path("volume-host"));
        String before = Files.readString(Path.of("/proc/self/mounts"));

        read(reading("none").mount("/data", "bind", volume.toString(), "rbind"));

        assertThat(Files.readString(Path.of("/proc/self/mounts"))).isEqualTo(before);
    }

    @Test
    void aSourceThatDoesNotExistIsNamed() {
        assertThatThrownBy(() -> read(reading("x").mount("/data", "bind", "/nowhere", "rbind")))
                .hasMessageContaining("/nowhere");
    }

    @Test
    void aProgramOfTheImageRuns() throws Exception {
        Files.write(fixture.rootfs().resolve("app.wasm"), SandboxFixture.resource("hello.wat"));

        SandboxFixture.Run run = fixture.run(SandboxFixture.file("/app.wasm"), new Specs());

        assertThat(run.stdout()).isEqualTo("hello\n");
        assertThat(run.description().program()).isEqualTo("/app.wasm");
    }

    @Test
    void aMissingProgramIsSaidToBeMissingInWhatKindOfImage() {
        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/none.wasm"), new Specs()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("/none.wasm does not exist in an OCI image for linux/amd64")
                .hasMessageContaining("remove runtimeClassName");
    }

    @Test
    void aNativeProgramIsSaidToBeOne() throws Exception {
        Files.createDirectories(fixture.rootfs().resolve("usr/bin"));
        Files.writeString(fixture.rootfs().resolve("usr/bin/tool"), "\u007fELF...");
        Files.writeString(fixture.rootfs().resolve("native"), "\u007fELF...");
        Files.writeString(fixture.rootfs().resolve("script"), "#!/bin/sh\n");

        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/native"), new Specs()))
                .isInstanceOf(NativeProgram.class)
                .hasMessageContaining("is an ELF executable");
        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/script"), new Specs()))
                .isInstanceOf(NativeProgram.class)
                .hasMessageContaining("is a script (#!/bin/sh)");
        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("tool"), new Specs()))
                .isInstanceOf(NativeProgram.class)
                .hasMessageContaining("/usr/bin/tool");
        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/none"), new Specs()))
                .isInstanceOf(NativeProgram.class)
                .hasMessageContaining("/none does not exist");
        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/native#run"), new Specs()))
                .isInstanceOf(InvalidWorkload.class);
    }

    @Test
    void aDirectoryIsNoProgram() throws Exception {
        Files.createDirectories(fixture.rootfs().resolve("directory"));

        assertThatThrownBy(() -> fixture.run(SandboxFixture.file("/directory"), new Specs()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("/directory")
                .hasMessageContaining("cannot be the program");
    }
}
