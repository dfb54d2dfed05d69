package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.SandboxFailure;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class HandleTest {
    private final List<Long> dropped = new ArrayList<>();
    private final Handle handle = new Handle("a thing", 7);

    @Test
    void releasingTwiceDropsOnce() {
        handle.release(dropped::add);
        handle.release(dropped::add);

        assertThat(dropped).containsExactly(7L);
    }

    @Test
    void useAfterReleaseThrows() {
        handle.release(dropped::add);

        assertThatThrownBy(handle::id)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a thing was used after it was closed");
    }

    @Test
    void aRefusedDropLeavesTheHandleAsItWas() {
        assertThatThrownBy(() ->
                        handle.release(id -> {
                            throw new SandboxFailure("running");
                        }))
                .isInstanceOf(SandboxFailure.class);

        assertThat(handle.id()).isEqualTo(7);
    }
}
