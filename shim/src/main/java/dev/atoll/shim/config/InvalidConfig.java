package dev.atoll.shim.config;

import java.io.IOException;

/// The configuration file is not acceptable. The message is one line: file, line, key, what was
/// expected, what was found.
public final class InvalidConfig extends IOException {
    private static final long serialVersionUID = 1L;

    InvalidConfig(String message) {
        super(message);
    }

    InvalidConfig(String message, Throwable cause) {
        super(message, cause);
    }
}
