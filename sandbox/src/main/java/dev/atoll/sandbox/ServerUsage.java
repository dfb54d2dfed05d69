package dev.atoll.sandbox;

/// What a server has done; of what is no server all is 0.
///
/// @param requests answered by the guest
/// @param trapped requests answered with 500, since the guest trapped
/// @param refused requests turned away without the guest: 413, 431, 503, 504
/// @param instances of the program that exist now
public record ServerUsage(
        long requests,
        long trapped,
        long refused,
        long inProgress,
        long connections,
        long instances) {
    public static final ServerUsage NONE = new ServerUsage(0, 0, 0, 0, 0, 0);
}
