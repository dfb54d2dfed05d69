package dev.atoll.e2e.pod;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.e2e.net.ChannelSocket;
import dev.atoll.e2e.net.ChannelSocket.Message;
import java.io.IOException;

/// What `kubectl exec` or `kubectl attach` has open. Belongs to one thread.
public final class ContainerSession implements AutoCloseable {
    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int STATUS = 3;
    private static final int SIZE = 4;

    private final ChannelSocket socket;
    private final StringBuilder output = new StringBuilder();
    private final StringBuilder errors = new StringBuilder();

    ContainerSession(ChannelSocket socket) {
        this.socket = socket;
    }

    /// Sends input.
    public ContainerSession type(String text) throws IOException {
        socket.send(STDIN, text);
        return this;
    }

    /// Says that the terminal has another size.
    public ContainerSession resize(int columns, int rows) throws IOException {
        socket.send(SIZE, "{\"Width\":%d,\"Height\":%d}".formatted(columns, rows));
        return this;
    }

    /// Waits until the output has the text; an end before that is an error.
    public ContainerSession awaitOutput(String text) throws IOException {
        while (output.indexOf(text) < 0) {
            Message message = socket.read();
            if (message.isEnd() || message.channel() == STATUS) {
                throw new IOException(
                        "ended with %s after: %s%s".formatted(message.text(), output, errors));
            }
            take(message);
        }
        return this;
    }

    /// Returns what was seen of the output so far.
    public String output() {
        return output.toString();
    }

    /// Waits for the end.
    public ExecResult awaitEnd() throws IOException {
        while (true) {
            Message message = socket.read();
            if (message.channel() == STATUS) {
                return new ExecResult(exitCode(message.text()), output(), errors.toString());
            }
            if (message.isEnd()) {
                throw new IOException(
                        "ended without a status after: %s%s".formatted(output, errors));
            }
            take(message);
        }
    }

    private void take(Message message) throws IOException {
        switch (message.channel()) {
            case STDOUT -> output.append(message.text());
            case STDERR -> errors.append(message.text());
            default -> throw new IOException("unexpected " + message);
        }
    }

    /// `metav1.Status`: a command's exit code is a cause of its failure.
    private static int exitCode(String status) throws IOException {
        JsonObject json = JsonParser.parseString(status).getAsJsonObject();
        if (json.get("status").getAsString().equals("Success")) {
            return 0;
        }
        if (json.has("details")) {
            for (JsonElement cause : json.getAsJsonObject("details").getAsJsonArray("causes")) {
                if (cause.getAsJsonObject().get("reason").getAsString().equals("ExitCode")) {
                    return cause.getAsJsonObject().get("message").getAsInt();
                }
            }
        }
        throw new IOException("the command could not be executed: " + status);
    }

    /// Hangs up.
    @Override
    public void close() throws IOException {
        socket.close();
    }
}
