package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

final class ClosersTest {
    private final List<String> closed = new ArrayList<>();
    private final Closers closers = new Closers();

    @Test
    void whatWasMadeLastIsClosedFirst() {
        closers.add(() -> closed.add("first"));
        closers.add(() -> closed.add("second"));
        closers.addLast(() -> closed.add("end"));

        closers.close();

        assertThat(closed).containsExactly("second", "first", "end");
    }

    @Test
    void aFailureDoesNotKeepTheRestOpen() {
        closers.add(() -> closed.add("first"));
        closers.add(() -> {
            throw new IllegalStateException("second");
        });
        closers.add(() -> {
            throw new IllegalStateException("third");
        });

        assertThatThrownBy(closers::close)
                .hasMessage("third")
                .satisfies(failure -> assertThat(failure.getSuppressed()).hasSize(1));
        assertThat(closed).containsExactly("first");
    }

    @Test
    void failuresOfClosingAreSuppressedInTheCause() {
        closers.add(() -> {
            throw new IllegalStateException("closing");
        });
        RuntimeException cause = new RuntimeException("cause");

        closers.closeAfter(cause);

        assertThat(cause.getSuppressed())
                .singleElement()
                .asInstanceOf(InstanceOfAssertFactories.THROWABLE)
                .hasMessage("closing");
    }
}
