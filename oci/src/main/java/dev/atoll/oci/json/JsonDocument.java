package dev.atoll.oci.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.atoll.oci.OciException;
import dev.atoll.oci.OneLine;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// A kind of JSON document: what it is called in messages, how large it may be, and which exception
/// says that it is wrong. Immutable.
///
/// @param subject starts each message: `config.json of container a1b2`
/// @param problem makes the exception of a message and, if there is one, its cause
public record JsonDocument(
        String subject,
        int maxBytes,
        BiFunction<String, @Nullable Throwable, OciException> problem) {
    /// Nothing that is read here nests deeper than ten levels; the bound keeps hostile input from
    /// making deep trees.
    private static final int DEEPEST = 64;

    /// What Gson says to its caller, who is not the reader of the message.
    private static final String LENIENT_ADVICE =
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON";

    public JsonDocument {
        Objects.requireNonNull(subject, "subject");
        Objects.requireNonNull(problem, "problem");
    }

    /// @return the document's root, which is an object
    /// @throws OciException if `bytes` is not one JSON object within the bounds
    public JsonNode parse(byte[] bytes) {
        checkSize(bytes.length);
        String text = decode(bytes);
        if (text.isBlank()) {
            throw error("the document is empty: expected a JSON object");
        }
        var reader = new JsonReader(new StringReader(text));
        reader.setStrictness(Strictness.STRICT);
        reader.setNestingLimit(DEEPEST);
        JsonElement root;
        try {
            root = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw error("malformed JSON: there is text after the end of the object");
            }
        } catch (JsonParseException | IOException | NumberFormatException e) {
            throw error("malformed JSON: " + firstSentence(e), e);
        }
        return new JsonNode(this, "", root).requireObject();
    }

    /// @throws OciException if `size` is above the bound; call it before the bytes are read
    public void checkSize(long size) {
        if (size > maxBytes) {
            throw error(
                    "the document has %d bytes: at most %d are accepted".formatted(size, maxBytes));
        }
    }

    /// @return the exception of this document with `message` after the subject
    public OciException error(String message) {
        return error(message, null);
    }

    OciException error(String message, @Nullable Throwable cause) {
        return problem.apply(subject + ": " + message, cause);
    }

    private String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw error("malformed JSON: the text is not UTF-8", e);
        }
    }

    /// Gson's messages have a second line with a link, some advise its caller, and its wrapper repeats the class's name.
    private static String firstSentence(Exception e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        String message = Objects.requireNonNullElse(cause.getMessage(), cause.toString());
        int newline = message.indexOf('\n');
        String first = newline < 0 ? message : message.substring(0, newline);
        return OneLine.of(first.replace(LENIENT_ADVICE, "unexpected text"));
    }
}
