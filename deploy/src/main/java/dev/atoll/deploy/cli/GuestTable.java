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
    private static final List<String> WIDE_HEADINGS =
            List.of(
                    "ROLE",
                    "LIMIT",
                    "THROTTLED",
                    "REQUESTS",
                    "TRAPPED",
                    "REFUSED",
                    "ACTIVE",
                    "SOCKETS",
                    "DENIED");
    private static final int SHORT_ID = 12;
    private static final String NOTHING = "-";

    private GuestTable() {}

    /// @param wide whether to tell what servers and the network do, too
    static String of(List<Guest> guests, Instant now, boolean wide) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(wide ? joined(HEADINGS, WIDE_HEADINGS) : HEADINGS);
        guests.forEach(guest ->
                rows.add(wide ? joined(row(guest, now), wideRow(guest)) : row(guest, now)));
        int[] widths = new int[rows.getFirst().size()];
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

    private static List<String> wideRow(Guest guest) {
        boolean server = guest.getRole().equals("server");
        boolean pause = guest.getKind().equals("pause");
        return List.of(
                text(guest.getRole()),
                guest.getMemoryLimit() == 0 ? NOTHING : Quantities.bytes(guest.getMemoryLimit()),
                guest.getCpuPeriods() == 0 ? NOTHING : Quantities.cpu(guest.getCpuThrottledNanos()),
                server ? number(guest.getRequests()) : NOTHING,
                server ? number(guest.getRequestsTrapped()) : NOTHING,
                server ? number(guest.getRequestsRefused()) : NOTHING,
                server ? number(guest.getRequestsInProgress()) : NOTHING,
                pause ? NOTHING : number(guest.getOpenSockets()),
                pause ? NOTHING : number(guest.getPolicyRefusals()));
    }

    private static List<String> joined(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    private static String number(long count) {
        return Long.toUnsignedString(count);
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
