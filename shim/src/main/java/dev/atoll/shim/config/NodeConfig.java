package dev.atoll.shim.config;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.guest.NodeSettings;
import dev.atoll.shim.log.LogKeys;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds and reads the node's configuration file. Stateless.
public final class NodeConfig {
    /// Read where no other file is named; it may be missing.
    public static final Path DEFAULT_FILE = Path.of("/etc/atoll/config.toml");

    private static final int MAX_BYTES = 1 << 20;
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeConfig.class);

    private NodeConfig() {}

    /// @param named a file that must be there; empty: [#DEFAULT_FILE], if it is
    /// @throws InvalidConfig if it cannot be read, or anything in it is not acceptable
    public static NodeSettings read(Optional<Path> named) throws InvalidConfig {
        return named.isPresent() ? read(named.get(), true) : read(DEFAULT_FILE, false);
    }

    static NodeSettings read(Path file, boolean required) throws InvalidConfig {
        Optional<String> text = text(file);
        if (text.isEmpty()) {
            if (required) {
                throw new InvalidConfig(
                        "configuration file %s does not exist: make it, or name another by --config"
                                .formatted(file));
            }
            return NodeSettings.DEFAULTS;
        }
        NodeSettings settings = TomlSettings.parse(file.toString(), text.get());
        LOGGER.atInfo().addKeyValue(LogKeys.PATH, file).log("configuration read");
        return settings;
    }

    /// @return empty if there is no such file
    private static Optional<String> text(Path file) throws InvalidConfig {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new InvalidConfig(
                        "configuration file %s has more than %d bytes: is it another file?"
                                .formatted(file, MAX_BYTES));
            }
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (CharacterCodingException e) {
            throw new InvalidConfig(
                    "configuration file %s is not UTF-8 text: save it as such".formatted(file), e);
        } catch (InvalidConfig e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidConfig(
                    "configuration file %s cannot be read: %s"
                            .formatted(file, OneLine.of(String.valueOf(e.getMessage()))),
                    e);
        }
    }
}
