package dev.atoll.deploy.cli;

/// Makes foreign text fit for one line of a terminal.
final class Printable {
    private Printable() {}

    /// Control characters, with which an image's or a pod's author could drive the terminal, become
    /// `?`.
    static String of(String text) {
        return text.codePoints()
                .map(point -> isHarmless(point) ? point : '?')
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static boolean isHarmless(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE ->
                    false;
            default -> true;
        };
    }
}
