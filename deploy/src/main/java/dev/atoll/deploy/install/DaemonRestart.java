package dev.atoll.deploy.install;

/// What becomes of a running daemon of another version. Its guests end with it.
public enum DaemonRestart {
    /// It goes on until something else ends it.
    NEVER,
    /// It is ended if it has no pods.
    WHEN_IDLE,
    /// It is ended.
    NOW
}
