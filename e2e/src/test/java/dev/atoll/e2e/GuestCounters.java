package dev.atoll.e2e;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.e2e.pod.PodContainer;
import java.time.Duration;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/// What `atoll ps --json` counts of one guest.
///
/// @param json the guest's object
record GuestCounters(JsonObject json) {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    static GuestCounters of(TestNode on, PodContainer container) {
        String listing = on.node().atoll("ps", "--json").orThrow("list the guests");
        for (JsonElement guest : JsonParser.parseString(listing).getAsJsonArray()) {
            if (guest.getAsJsonObject().get("id").getAsString().equals(container.id())) {
                return new GuestCounters(guest.getAsJsonObject());
            }
        }
        throw new IllegalStateException("atoll ps lists no " + container.id() + ": " + listing);
    }

    /// Waits until they are as wanted.
    static GuestCounters await(
            TestNode on, PodContainer container, Predicate<GuestCounters> wanted) {
        return Awaitility.await("counters of " + container.id())
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> of(on, container), wanted);
    }

    /// How many requests the guest has answered.
    long requests() {
        return number("requests");
    }

    /// How many requests are being served.
    long inProgress() {
        return number("requestsInProgress");
    }

    /// How many requests were turned away without the guest.
    long turnedAway() {
        return number("requestsRefused");
    }

    /// How many connections are open.
    long connections() {
        return number("connections");
    }

    /// How many connections or datagrams a policy refused.
    long refusedByPolicy() {
        return number("policyRefusals");
    }

    private long number(String name) {
        JsonElement value = json.get(name);
        if (value == null) {
            throw new IllegalStateException("atoll ps has no " + name + ": " + json);
        }
        return value.getAsLong();
    }
}
