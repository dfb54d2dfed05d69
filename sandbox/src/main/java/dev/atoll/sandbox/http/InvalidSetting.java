package dev.atoll.sandbox.http;

/// A value of a setting is not acceptable. The message says what is accepted and what was found;
/// whoever read the value adds where it stands.
public final class InvalidSetting extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidSetting(String message) {
        super(message);
    }
}
