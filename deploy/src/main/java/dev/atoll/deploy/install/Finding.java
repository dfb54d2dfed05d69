package dev.atoll.deploy.install;

import java.util.Optional;

/// One thing that an examination of a node looked at.
///
/// @param subject what was looked at, in one or two words
/// @param found what was seen, as one line
/// @param remedy what to do about it; empty if nothing
public record Finding(String subject, Verdict verdict, String found, Optional<String> remedy) {
    /// How grave a finding is.
    public enum Verdict {
        /// As it should be.
        FINE,
        /// Works, but somebody should know.
        NOTE,
        /// Pods fail because of it.
        WRONG
    }

    static Finding fine(String subject, String found) {
        return new Finding(subject, Verdict.FINE, found, Optional.empty());
    }

    static Finding note(String subject, String found, String remedy) {
        return new Finding(subject, Verdict.NOTE, found, Optional.of(remedy));
    }

    static Finding wrong(String subject, String found, String remedy) {
        return new Finding(subject, Verdict.WRONG, found, Optional.of(remedy));
    }
}
