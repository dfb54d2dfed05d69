package dev.atoll.sandbox;

/// Of a terminal, in characters, each at most 65535; 0 is not known.
public record TerminalSize(int columns, int rows) {
    public static final TerminalSize UNKNOWN = new TerminalSize(0, 0);

    private static final long GREATEST = 0xffff;

    /// The nearest size that a terminal can have.
    public static TerminalSize of(long columns, long rows) {
        return new TerminalSize(
                (int) Math.clamp(columns, 0, GREATEST), (int) Math.clamp(rows, 0, GREATEST));
    }
}
