package dev.atoll.oci.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// A copy of a document in which single members are replaced: all others stay as they are, known or
/// not. Confined to one thread.
public final class JsonTree {
    private final JsonObject root;

    JsonTree(JsonObject root) {
        this.root = root;
    }

    /// @param path of the member; objects that are missing on the way are made
    public void setText(List<String> path, String text) {
        parent(path).addProperty(path.getLast(), text);
    }

    /// Makes the member an array of objects with text members.
    ///
    /// @param path of the member; objects that are missing on the way are made
    public void setObjects(List<String> path, List<Map<String, String>> objects) {
        JsonArray array = new JsonArray();
        for (Map<String, String> entry : objects) {
            JsonObject object = new JsonObject();
            entry.forEach(object::addProperty);
            array.add(object);
        }
        parent(path).add(path.getLast(), array);
    }

    private JsonObject parent(List<String> path) {
        JsonObject parent = root;
        for (String name : path.subList(0, path.size() - 1)) {
            JsonElement child = parent.get(name);
            if (child == null || child.isJsonNull()) {
                child = new JsonObject();
                parent.add(name, child);
            }
            parent = child.getAsJsonObject();
        }
        return parent;
    }

    /// UTF-8 text; numbers are written as they were read.
    public byte[] toBytes() {
        return root.toString().getBytes(StandardCharsets.UTF_8);
    }
}
