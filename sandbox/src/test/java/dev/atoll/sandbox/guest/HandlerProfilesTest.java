package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.Policy;
import dev.atoll.sandbox.http.HttpSetting;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class HandlerProfilesTest {
    private static final NetworkPolicy CLOSED = NetworkPolicy.DEFAULT.withAllow(List.of());
    private static final HttpSettings SLOW =
            HttpSettings.DEFAULTS.with(Map.of(HttpSetting.DRAIN, 60_000L));

    private final List<String> made = new ArrayList<>();

    private Policy make(String name, NetworkPolicy policy) {
        made.add(name);
        return new Policy(made.size());
    }

    @Test
    void aHandlerHasItsOwnAndOthersHaveTheDefaults() {
        HandlerProfiles profiles =
                HandlerProfiles.of(
                        new NodeSettings(
                                HandlerSettings.DEFAULTS,
                                Map.of("closed", new HandlerSettings(SLOW, CLOSED, "f")),
                                NodeLimits.DEFAULTS),
                        this::make);

        assertThat(made).containsExactly("default", "closed");
        assertThat(profiles.of(Optional.of("closed")))
                .isEqualTo(new HandlerProfiles.Profile(SLOW, new Policy(2), true));
        assertThat(profiles.of(Optional.of("wasmtime")))
                .isEqualTo(new HandlerProfiles.Profile(HttpSettings.DEFAULTS, new Policy(1), true));
        assertThat(profiles.of(Optional.empty())).isEqualTo(profiles.of(Optional.of("wasmtime")));
    }

    @Test
    void aHandlerWithoutRulesOfItsOwnHasThoseOfAllUnderItsName() {
        HandlerProfiles profiles =
                HandlerProfiles.of(
                        new NodeSettings(
                                HandlerSettings.DEFAULTS,
                                Map.of(
                                        "slow",
                                        new HandlerSettings(SLOW, NetworkPolicy.DEFAULT, "f")),
                                NodeLimits.DEFAULTS),
                        this::make);

        assertThat(made).containsExactly("default", "slow");
        assertThat(profiles.of(Optional.of("slow")).policy()).isEqualTo(new Policy(2));
    }

    @Test
    void aWrongRuleIsToldWithThePlaceWhereItIsWritten() {
        NodeSettings settings =
                new NodeSettings(
                        new HandlerSettings(
                                HttpSettings.DEFAULTS,
                                NetworkPolicy.DEFAULT.withDeny(List.of("10.0.0.0/99")),
                                "/etc/atoll/config.toml: network"),
                        Map.of(),
                        NodeLimits.DEFAULTS);

        assertThatThrownBy(() ->
                        HandlerProfiles.of(
                                settings,
                                (name, policy) -> {
                                    throw new InvalidWorkload("deny: \"10.0.0.0/99\" is no rule");
                                }))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage("/etc/atoll/config.toml: network: deny: \"10.0.0.0/99\" is no rule");
    }
}
