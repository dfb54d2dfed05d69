package dev.atoll.oci.program;

import dev.atoll.oci.Digest;
import java.nio.file.Path;
import java.util.List;

/// Where the bytes of a container's program are.
public sealed interface WasmProgram {
    Entrypoint entrypoint();

    /// A layer of a wasm artifact.
    ///
    /// @param digest of the layer as stored (a gzipped layer: of the compressed bytes); names the
    ///   program in caches
    /// @param name title of the layer for messages, or the entry's path
    /// @param others the programs in the artifact's other layers, as far as those have titles
    record Layer(
            Entrypoint entrypoint, Digest digest, String name, Content content, List<Layer> others)
            implements WasmProgram {
        public Layer {
            others = List.copyOf(others);
        }

        /// The only program of its artifact.
        public Layer(Entrypoint entrypoint, Digest digest, String name, Content content) {
            this(entrypoint, digest, name, content, List.of());
        }

        /// @return the same program, called in another way
        public Layer enteredAt(Entrypoint other) {
            return new Layer(other, digest, name, content, others);
        }
    }

    /// A file of the container's root file system, at the entry's path. Whether it exists and is
    /// wasm (`\0asm`, or text) is for the sandbox to see: an image of native programs looks the
    /// same from here.
    ///
    /// @param imageDescription what the image is, for the message that refuses a file that is no
    ///   wasm: "an OCI image for linux/amd64 with 3 tar layers
    ///   (application/vnd.oci.image.layer.v1.tar+gzip)"
    record RootfsFile(Entrypoint entrypoint, String imageDescription) implements WasmProgram {}

    /// Reads a layer's bytes.
    interface Content {
        /// Writes the program, uncompressed, to the new file `target`, holding a lease on the
        /// content meanwhile. Digest and size are verified; on failure `target` is removed.
        ///
        /// @param maxBytes greatest accepted size of the uncompressed program
        /// @throws dev.atoll.oci.InvalidImage if digest, size or compression are not what the
        ///   manifest says, or too large
        /// @throws dev.atoll.oci.ContentNotFound if the content is gone
        /// @throws dev.atoll.oci.ContentUnavailable if containerd does not answer
        void copyTo(Path target, long maxBytes);
    }
}
