package dev.atoll.sandbox.guest;

import java.util.ArrayDeque;
import java.util.Deque;

/// What was made so far on the way to a guest, closed in reverse order if the rest fails. Confined
/// to one thread.
final class Closers {
    interface Closer {
        void close();
    }

    private final Deque<Closer> closers = new ArrayDeque<>();

    void add(Closer closer) {
        closers.push(closer);
    }

    /// Closed after everything else.
    void addLast(Closer closer) {
        closers.addLast(closer);
    }

    /// Closes everything; what fails then is suppressed in `failure`.
    void closeAfter(Throwable failure) {
        while (!closers.isEmpty()) {
            try {
                closers.pop().close();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /// Closes everything, then throws the first failure with the others suppressed.
    void close() {
        RuntimeException first = null;
        while (!closers.isEmpty()) {
            try {
                closers.pop().close();
            } catch (RuntimeException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
