package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class GuestDefaultsTest {
    private static final GuestDefaults HALF_A_CORE = new GuestDefaults(1 << 20, 500);

    @Test
    void aNewContainerThatAsksForNothingGetsTheDefaults() {
        assertThat(HALF_A_CORE.of(Resources.NONE))
                .isEqualTo(
                        new Resources(
                                Optional.of(1L << 20),
                                Optional.empty(),
                                Optional.of(50_000L),
                                Optional.of(100_000L),
                                Optional.empty(),
                                false));
        assertThat(HALF_A_CORE.of(Resources.NONE.withMemoryLimit(-1).withCpuQuota(-1)))
                .isEqualTo(HALF_A_CORE.of(Resources.NONE));
    }

    @Test
    void whatIsAskedForIsGiven() {
        Resources asked = Resources.NONE.withMemoryLimit(7).withCpuQuota(8_000);

        assertThat(HALF_A_CORE.of(asked)).isEqualTo(asked);
        assertThat(GuestDefaults.NONE.of(asked)).isEqualTo(asked);
    }

    @Test
    void anUpdateThatTakesALimitAwayBringsTheDefaultBackAndLeavesTheRest() {
        assertThat(HALF_A_CORE.update(Resources.NONE)).isEqualTo(Resources.NONE);
        assertThat(HALF_A_CORE.update(Resources.NONE.withMemoryLimit(-1)))
                .isEqualTo(Resources.NONE.withMemoryLimit(1 << 20));
        assertThat(GuestDefaults.NONE.update(Resources.NONE.withCpuQuota(-1)))
                .isEqualTo(Resources.NONE.withCpuQuota(-1));
    }

    @Test
    void theNodesMemoryIsAShareOrANumber() {
        assertThat(MemoryShare.DEFAULT.of(1000)).isEqualTo(800);
        assertThat(new MemoryShare.Bytes(5).of(1000)).isEqualTo(5);
    }
}
