package dev.atoll.shim.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class SessionTest {
    @Test
    void whoeverDeletesWaitsForTheAnswersOfKillsThatCameBefore() throws InterruptedException {
        Session session = new Session();
        session.killBegins();
        session.killBegins();
        var deleted = new CountDownLatch(1);
        Thread deletion =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                session.awaitKills();
                                deleted.countDown();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });

        session.killAnswered();
        assertThat(deletion.join(Duration.ofMillis(20))).isFalse();
        session.killAnswered();

        assertThat(deletion.join(Duration.ofSeconds(10))).isTrue();
        assertThat(deleted.getCount()).isZero();
    }

    @Test
    void withoutKillsNobodyWaits() throws InterruptedException {
        Session session = new Session();

        session.awaitKills();

        assertThat(session.namespace()).isEmpty();
    }
}
