package dev.atoll.sandbox.code;

import java.nio.charset.StandardCharsets;

/// What the first bytes of a file say it is.
public final class ProgramHead {
    /// Enough to get past the comments that a text program begins with.
    static final int BYTES = 64 * 1024;

    private static final String ELF = "\u007fELF";

    private final String text;

    /// @param head one char per byte
    private ProgramHead(String head) {
        this.text = head;
    }

    static ProgramHead of(byte[] head) {
        return new ProgramHead(new String(head, StandardCharsets.ISO_8859_1));
    }

    /// Binary WebAssembly, or what begins as its text format does: blanks and comments, then a
    /// parenthesis.
    public boolean isWasm() {
        return text.startsWith("\0asm") || isText();
    }

    /// What Linux itself runs: an ELF program or a script that names its interpreter (execve(2)).
    boolean isNative() {
        return text.startsWith(ELF) || text.startsWith("#!");
    }

    /// For a sentence: `.. is an ELF executable`.
    public String found() {
        if (text.isEmpty()) {
            return "an empty file";
        }
        if (text.startsWith(ELF)) {
            return "an ELF executable";
        }
        if (text.startsWith("#!")) {
            int end = text.indexOf('\n');
            String line = text.substring(0, Math.min(end < 0 ? text.length() : end, 80));
            return "a script (%s)".formatted(line.replaceAll("[^ -~]", "?"));
        }
        if (text.startsWith("\u001f\u008b")) {
            return "gzip-compressed";
        }
        if (text.startsWith("MZ")) {
            return "a Windows executable";
        }
        if (text.startsWith("PK\u0003\u0004")) {
            return "a zip or jar file";
        }
        return "neither binary nor text WebAssembly";
    }

    private boolean isText() {
        int at = 0;
        while (at < text.length()) {
            char character = text.charAt(at);
            if (character == ' ' || character == '\t' || character == '\n' || character == '\r') {
                at++;
            } else if (text.startsWith(";;", at)) {
                int end = text.indexOf('\n', at);
                at = end < 0 ? text.length() : end + 1;
            } else if (text.startsWith("(;", at)) {
                at = afterBlockComment(at);
            } else {
                return character == '(';
            }
        }
        // Comments only: too long for the head, which the compiler may judge, or nothing at all.
        return text.length() == BYTES;
    }

    private int afterBlockComment(int start) {
        int depth = 0;
        int at = start;
        while (at < text.length()) {
            if (text.startsWith("(;", at)) {
                depth++;
                at += 2;
            } else if (text.startsWith(";)", at)) {
                depth--;
                at += 2;
                if (depth == 0) {
                    return at;
                }
            } else {
                at++;
            }
        }
        return at;
    }
}
