package dev.atoll.deploy.install;

/// Hears what has been done, right after it was done and before the next thing is.
@FunctionalInterface
public interface Progress {
    /// @param line one sentence for the operator, such as `launcher: linked /usr/local/bin/…`
    void report(String line);
}
