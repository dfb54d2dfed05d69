package dev.atoll.e2e.net;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An answer to an HTTP request.
///
/// @param status the status code
/// @param headers the values of each header, by its name in lower case
/// @param body the body, each character a byte
/// @param trailers what followed the body, as the headers
public record HttpReply(
        int status,
        Map<String, List<String>> headers,
        String body,
        Map<String, List<String>> trailers) {
    public HttpReply {
        headers = Map.copyOf(headers);
        trailers = Map.copyOf(trailers);
    }

    /// Returns a header's first value.
    public Optional<String> header(String name) {
        return headers.getOrDefault(name, List.of()).stream().findFirst();
    }

    /// Whether the server closes the connection after this answer.
    public boolean closes() {
        return header("connection").filter("close"::equalsIgnoreCase).isPresent();
    }

    boolean isChunked() {
        return header("transfer-encoding").filter("chunked"::equalsIgnoreCase).isPresent();
    }
}
