package dev.atoll.sandbox.http;

import java.util.Collection;
import java.util.Comparator;

/// Finds the name that somebody may have meant. Stateless.
public final class Nearest {
    /// Longer texts are cut: they are no misspelt names.
    private static final int LONGEST = 64;

    private Nearest() {}

    /// @param known not empty
    /// @return the one that takes the fewest changes of a letter; of several, the first
    public static String of(String text, Collection<String> known) {
        String cut = text.substring(0, Math.min(LONGEST, text.length()));
        return known.stream()
                .min(Comparator.comparingInt(name -> distance(cut, name)))
                .orElseThrow();
    }

    /// Levenshtein's, one row at a time.
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
