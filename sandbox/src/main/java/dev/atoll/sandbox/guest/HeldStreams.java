package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.Stdio;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Both ends of the FIFOs of a command that is still being loaded: whoever opens the other end
/// meanwhile sees their end if the command is killed. Belongs to one thread at a time.
final class HeldStreams implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(HeldStreams.class);

    /// Type bits of a mode, and those of a FIFO (inode(7)).
    private static final int TYPE = 0170000;

    private static final int FIFO = 0010000;

    private final List<FileChannel> channels = new ArrayList<>();

    private HeldStreams() {}

    /// Streams that cannot be opened are left for the engine to complain about.
    static HeldStreams open(Stdio stdio) {
        HeldStreams held = new HeldStreams();
        for (String stream : List.of(stdio.stdin(), stdio.stdout(), stdio.stderr())) {
            if (!stream.isEmpty()) {
                held.hold(Path.of(stream));
            }
        }
        return held;
    }

    private void hold(Path path) {
        try {
            if (((int) Files.getAttribute(path, "unix:mode") & TYPE) == FIFO) {
                // Opened for both directions, a FIFO waits for nobody (fifo(7)).
                channels.add(
                        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
            }
        } catch (IOException e) {
            LOGGER.atDebug()
                    .addKeyValue("path", path)
                    .addKeyValue("error", e.toString())
                    .log("a stream of a command could not be held open");
        }
    }

    @Override
    public void close() {
        for (FileChannel channel : channels) {
            try {
                channel.close();
            } catch (IOException e) {
                LOGGER.atWarn().setCause(e).log("a stream of a command was not closed properly");
            }
        }
        channels.clear();
    }
}
