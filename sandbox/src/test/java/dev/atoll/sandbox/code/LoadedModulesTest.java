package dev.atoll.sandbox.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

final class LoadedModulesTest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final List<String> closed = new ArrayList<>();
    private final AtomicInteger loads = new AtomicInteger();
    private final LoadedModules<String> modules = new LoadedModules<>(1, DEADLINE, closed::add);

    private Supplier<LoadedModules.Loaded<String>> loader(String module) {
        return () -> {
            loads.incrementAndGet();
            return new LoadedModules.Loaded<>(module, false);
        };
    }

    private LoadedModules<String>.Lease acquire(String key) {
        return modules.acquire(key, loader(key));
    }

    @Test
    void usersShareOneModule() {
        try (LoadedModules<String>.Lease first = acquire("a");
                LoadedModules<String>.Lease second = acquire("a")) {
            assertThat(second.module()).isSameAs(first.module());
            assertThat(first.hit()).isFalse();
            assertThat(second.hit()).isTrue();
            assertThat(loads).hasValue(1);
        }
    }

    @Test
    void anIdleModuleIsKept() {
        acquire("a").close();

        acquire("a").close();

        assertThat(loads).hasValue(1);
        assertThat(closed).isEmpty();
    }

    @Test
    void whatWasIdleLongestGoesFirst() {
        acquire("a").close();
        acquire("b").close();

        assertThat(closed).containsExactly("a");
    }

    @Test
    void whatIsInUseStays() {
        LoadedModules<String>.Lease used = acquire("a");
        acquire("b").close();
        acquire("c").close();

        assertThat(closed).containsExactly("b");
        used.close();
    }

    @Test
    void aLeaseCountsOnce() {
        LoadedModules<String>.Lease first = acquire("a");
        LoadedModules<String>.Lease second = acquire("a");

        first.close();
        first.close();
        modules.close();

        assertThat(closed).isEmpty();
        second.close();
        assertThat(closed).containsExactly("a");
    }

    @Test
    void aClosedCacheLoadsNothing() {
        modules.close();

        assertThatThrownBy(() -> acquire("a")).isInstanceOf(SandboxFailure.class);
    }

    @Test
    void aFailureIsNotKept() {
        assertThatThrownBy(() ->
                        modules.acquire(
                                "a",
                                () -> {
                                    throw new InvalidWorkload("bad");
                                }))
                .hasMessage("bad");

        acquire("a").close();

        assertThat(loads).hasValue(1);
    }

    @Test
    void concurrentFirstUsesLoadOnce() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> hits = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                hits.add(
                        threads.submit(() -> {
                            try (LoadedModules<String>.Lease lease =
                                    modules.acquire("a", held(waiting, "a"))) {
                                return lease.hit();
                            }
                        }));
            }
            waiting.countDown();
            for (Future<Boolean> hit : hits) {
                hit.get(10, TimeUnit.SECONDS);
            }
        }

        assertThat(loads).hasValue(1);
    }

    @Test
    void allWhoWaitedGetTheFailure() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        InvalidWorkload failure = new InvalidWorkload("bad");
        Supplier<LoadedModules.Loaded<String>> failing =
                () -> {
                    loading.countDown();
                    awaitLatch(go);
                    throw failure;
                };
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<?> first = threads.submit(() -> modules.acquire("a", failing));
            awaitLatch(loading);
            Future<?> second = threads.submit(() -> modules.acquire("a", failing));

            go.countDown();

            assertThatThrownBy(() -> first.get(10, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCause(failure);
            assertThatThrownBy(() -> second.get(10, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCause(failure);
        }
    }

    private Supplier<LoadedModules.Loaded<String>> held(CountDownLatch latch, String module) {
        return () -> {
            awaitLatch(latch);
            return loader(module).get();
        };
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
