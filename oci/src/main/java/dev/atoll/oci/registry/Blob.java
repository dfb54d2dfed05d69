package dev.atoll.oci.registry;

import java.nio.file.Path;
import java.util.Map;

/// Content to push, with what its descriptor in the manifest says about it.
public sealed interface Blob {
    String mediaType();

    Map<String, String> annotations();

    /// The bytes of a file, which must not change while it is pushed.
    record InFile(String mediaType, Map<String, String> annotations, Path file) implements Blob {
        public InFile {
            annotations = Map.copyOf(annotations);
        }
    }

    /// A text in UTF-8, usually JSON.
    record Text(String mediaType, Map<String, String> annotations, String text) implements Blob {
        public Text {
            annotations = Map.copyOf(annotations);
        }
    }
}
