package dev.atoll.oci;

/// Makes text that comes from outside fit for a one-line message: control characters, line and
/// paragraph separators become `?`, and long text is cut.
public final class OneLine {
    private static final int LONGEST = 200;

    private OneLine() {}

    public static String of(String text) {
        int end = Math.min(text.length(), LONGEST);
        var line = new StringBuilder(end + 3);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            line.append(breaksLine(c) ? '?' : c);
        }
        if (end < text.length()) {
            line.append("...");
        }
        return line.toString();
    }

    /// As [#of], in double quotes.
    public static String quoted(String text) {
        return '"' + of(text) + '"';
    }

    private static boolean breaksLine(char c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    true;
            default -> false;
        };
    }
}
