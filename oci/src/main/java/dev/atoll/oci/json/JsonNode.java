package dev.atoll.oci.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.atoll.oci.OciException;
import dev.atoll.oci.OneLine;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A value in a JSON document and where it stands there. Immutable as long as the document's tree
/// is not handed out, which it is not. Each reading method throws the document's exception, which
/// names the place, what was expected and what was found.
public final class JsonNode {
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,19}");
    private static final Pattern UNSIGNED = Pattern.compile("[0-9]{1,20}");

    private final JsonDocument document;
    private final String path;
    private final JsonElement element;

    JsonNode(JsonDocument document, String path, JsonElement element) {
        this.document = document;
        this.path = path;
        this.element = element;
    }

    /// @return the member, or empty if it is missing or null
    public Optional<JsonNode> member(String name) {
        requireObject();
        JsonElement member = element.getAsJsonObject().get(name);
        if (member == null || member.isJsonNull()) {
            return Optional.empty();
        }
        return Optional.of(new JsonNode(document, childPath(name), member));
    }

    /// @param expected what the member is, for the message when it is missing
    public JsonNode required(String name, String expected) {
        return member(name)
                .orElseThrow(() ->
                        document.error(
                                "%s: expected %s, found nothing"
                                        .formatted(childPath(name), expected)));
    }

    public String requiredText(String name) {
        return required(name, "a string").text();
    }

    /// @return the text of the member, or the empty string if it is missing
    public String textOrEmpty(String name) {
        return optionalText(name).orElse("");
    }

    /// @return empty if the member is missing, null or the empty string
    public Optional<String> optionalText(String name) {
        return member(name).map(JsonNode::text).filter(text -> !text.isEmpty());
    }

    public Optional<Long> optionalInteger(String name) {
        return member(name).map(JsonNode::integer);
    }

    /// @return the member's truth, or false if it is missing
    public boolean truth(String name) {
        return member(name).map(JsonNode::truth).orElse(false);
    }

    /// @return the member's strings, or none if it is missing
    public List<String> texts(String name, int most) {
        return member(name).map(node -> node.texts(most)).orElse(List.of());
    }

    /// @return the member's elements, or none if it is missing
    public List<JsonNode> elements(String name, int most) {
        return member(name).map(node -> node.children("an array", most)).orElse(List.of());
    }

    /// @return the member's entries in their order, or none if it is missing
    public Map<String, String> textMap(String name, int most) {
        return member(name).map(node -> node.textMap(most)).orElse(Map.of());
    }

    /// @throws OciException also if there is a NUL character: neither paths, arguments nor names
    ///   can have one
    public String text() {
        if (!(element instanceof JsonPrimitive primitive) || !primitive.isString()) {
            throw unexpected("a string");
        }
        String text = primitive.getAsString();
        if (text.indexOf('\0') >= 0) {
            throw error("expected a string without NUL characters, found one with");
        }
        return text;
    }

    public long integer() {
        if (!(element instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
            throw unexpected("an integer");
        }
        String digits = primitive.getAsString();
        if (INTEGER.matcher(digits).matches()) {
            try {
                return Long.parseLong(digits);
            } catch (NumberFormatException e) {
                throw error("expected an integer of 64 bits, found " + digits, e);
            }
        }
        throw error("expected an integer, found the number " + OneLine.of(digits));
    }

    /// @return a number without a sign; what is larger than a long can be is the largest long
    public long unsigned() {
        if (element instanceof JsonPrimitive primitive
                && primitive.isNumber()
                && UNSIGNED.matcher(primitive.getAsString()).matches()) {
            return new BigInteger(primitive.getAsString())
                    .min(BigInteger.valueOf(Long.MAX_VALUE))
                    .longValue();
        }
        throw unexpected("an integer without a sign");
    }

    public boolean truth() {
        if (!(element instanceof JsonPrimitive primitive) || !primitive.isBoolean()) {
            throw unexpected("true or false");
        }
        return primitive.getAsBoolean();
    }

    /// @return an error at this place
    public OciException error(String message) {
        return error(message, null);
    }

    /// @return as [#error(String)], with a cause
    public OciException error(String message, @Nullable Throwable cause) {
        return document.error(path.isEmpty() ? message : path + ": " + message, cause);
    }

    /// @return a copy of this object to be changed
    public JsonTree copy() {
        requireObject();
        return new JsonTree(element.getAsJsonObject().deepCopy());
    }

    JsonNode requireObject() {
        if (!element.isJsonObject()) {
            throw unexpected("an object");
        }
        return this;
    }

    private List<String> texts(int most) {
        return children("an array of strings", most).stream().map(JsonNode::text).toList();
    }

    private List<JsonNode> children(String expected, int most) {
        if (!element.isJsonArray()) {
            throw unexpected(expected);
        }
        List<JsonElement> array = element.getAsJsonArray().asList();
        if (array.size() > most) {
            throw error("expected at most %d entries, found %d".formatted(most, array.size()));
        }
        var nodes = new ArrayList<JsonNode>(array.size());
        for (int i = 0; i < array.size(); i++) {
            nodes.add(new JsonNode(document, path + "[" + i + "]", array.get(i)));
        }
        return nodes;
    }

    private Map<String, String> textMap(int most) {
        if (!element.isJsonObject()) {
            throw unexpected("an object of strings");
        }
        Map<String, JsonElement> members = element.getAsJsonObject().asMap();
        if (members.size() > most) {
            throw error("expected at most %d entries, found %d".formatted(most, members.size()));
        }
        var map = new LinkedHashMap<String, String>();
        members.forEach((name, value) ->
                map.put(name, new JsonNode(document, childPath(name), value).text()));
        return map;
    }

    private String childPath(String name) {
        String line = OneLine.of(name);
        return path.isEmpty() ? line : path + "." + line;
    }

    private OciException unexpected(String expected) {
        return error("expected %s, found %s".formatted(expected, kind()));
    }

    private String kind() {
        if (element.isJsonObject()) {
            return "an object";
        }
        if (element.isJsonArray()) {
            return "an array";
        }
        if (element instanceof JsonPrimitive primitive) {
            if (primitive.isString()) {
                return "a string";
            }
            return primitive.isNumber() ? "a number" : "a boolean";
        }
        return "null";
    }
}
