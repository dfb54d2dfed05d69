package dev.atoll.deploy.cli;

import dev.atoll.api.v1.Guest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The guests as a table for people.
final class GuestTable {
    private static final List<String> HEADINGS =
            List.of("ID", "POD", "CONTAINER", "STATE", "KIND", "MEMORY", "CPU", "AGE", "CACHE");
    private static final int SHORT_ID = 12;
    private static final String NOTHING = "-";

    private GuestTable() {}

    static String of(List<Guest> guests, Instant now) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        guests.forEach(guest -> rows.add(row(guest, now)));
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String cell = row.get(column);
                line.append(cell).repeat(' ', widths[column] - cell.length() + 2);
            }
            table.append(line.toString().stripTrailing()).append('\n');
        }
        return table.toString();
    }

    private static List<String> row(Guest guest, Instant now) {
        boolean pause = guest.getKind().equals("pause");
        return List.of(
                text(guest.getId().substring(0, Math.min(SHORT_ID, guest.getId().length()))),
                text(pod(guest)),
                text(guest.getContainerName()),
                text(state(guest)),
                text(guest.getKind()),
                pause ? NOTHING : Quantities.bytes(guest.getMemoryBytes()),
                pause ? NOTHING : Quantities.cpu(guest.getCpuNanos()),
                guest.hasCreatedAt() ? age(guest, now) : NOTHING,
                pause || guest.getKind().isEmpty()
                        ? NOTHING
                        : guest.getCodeCacheHit() ? "hit" : "miss");
    }

    private static String pod(Guest guest) {
        return guest.getPodName().isEmpty()
                ? ""
                : guest.getPodNamespace() + "/" + guest.getPodName();
    }

    private static String state(Guest guest) {
        return guest.getState().equals("stopped")
                ? "stopped (%s)".formatted(Integer.toUnsignedString(guest.getExitStatus()))
                : guest.getState();
    }

    private static String age(Guest guest, Instant now) {
        return Quantities.age(Duration.between(Quantities.instant(guest.getCreatedAt()), now));
    }

    private static String text(String text) {
        return text.isEmpty() ? NOTHING : Printable.of(text);
    }
}
