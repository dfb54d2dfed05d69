package dev.atoll.deploy.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProcessCommandsIT {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Test
    void theHostsProgramsAreLookedForWhereHostsHaveThem() throws InstallFailed {
        HostCommands host = new ProcessCommands(List.of("env", "--"));

        assertThat(host.run(DEADLINE, List.of("printenv", "PATH")).output().strip())
                .isEqualTo("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }

    @Test
    void onTheHostItselfItsOwnPathHolds() throws InstallFailed {
        HostCommands here = new ProcessCommands(List.of());

        assertThat(here.run(DEADLINE, List.of("printenv", "PATH")).output().strip())
                .isEqualTo(System.getenv("PATH"));
    }
}
