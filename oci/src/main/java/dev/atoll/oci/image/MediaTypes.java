package dev.atoll.oci.image;

import java.util.Set;

/// The media types that Atoll knows, and the questions asked of them.
public final class MediaTypes {
    /// OCI image-spec, media-types.md.
    public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

    public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    public static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
    public static final String OCI_LAYER_TAR = "application/vnd.oci.image.layer.v1.tar";
    public static final String OCI_LAYER_TAR_GZIP = OCI_LAYER_TAR + "+gzip";

    /// OCI image-spec, descriptor.md: the config of an artifact that has none.
    public static final String OCI_EMPTY = "application/vnd.oci.empty.v1+json";

    /// Docker image manifest version 2, schema 2 (distribution, docs/spec/manifest-v2-2.md).
    public static final String DOCKER_INDEX =
            "application/vnd.docker.distribution.manifest.list.v2+json";

    public static final String DOCKER_MANIFEST =
            "application/vnd.docker.distribution.manifest.v2+json";
    public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
    public static final String DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";

    /// CNCF TAG Runtime, "Wasm OCI Artifact layout".
    public static final String WASM_CONFIG = "application/vnd.wasm.config.v0+json";

    public static final String WASM_LAYER = "application/wasm";

    /// The layout before it, by Solo.io ("Wasm Artifact Image Specification").
    public static final String OLDER_WASM_CONFIG = "application/vnd.wasm.config.v1+json";

    public static final String OLDER_WASM_LAYER = "application/vnd.wasm.content.layer.v1+wasm";

    /// What runwasi's `oci-tar-builder` writes for components.
    public static final String COMPONENT_LAYER =
            "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";

    /// OCI image-spec, annotations.md: the file name of a layer.
    public static final String TITLE_ANNOTATION = "org.opencontainers.image.title";

    private static final String GZIP = "+gzip";
    private static final Set<String> WASM_LAYERS =
            Set.of(WASM_LAYER, OLDER_WASM_LAYER, COMPONENT_LAYER);
    private static final Set<String> PROGRAM_CONFIGS =
            Set.of(WASM_CONFIG, OLDER_WASM_CONFIG, OCI_CONFIG, DOCKER_CONFIG);

    private MediaTypes() {}

    public static boolean isIndex(String mediaType) {
        return mediaType.equals(OCI_INDEX) || mediaType.equals(DOCKER_INDEX);
    }

    public static boolean isManifest(String mediaType) {
        return mediaType.equals(OCI_MANIFEST) || mediaType.equals(DOCKER_MANIFEST);
    }

    /// @return whether a manifest with this config can be a program: an image, or a wasm artifact
    public static boolean isProgramConfig(String mediaType) {
        return PROGRAM_CONFIGS.contains(mediaType);
    }

    /// @return whether the config says how to start a container
    public static boolean isImageConfig(String mediaType) {
        return mediaType.equals(OCI_CONFIG) || mediaType.equals(DOCKER_CONFIG);
    }

    /// @return whether a layer of this type is a wasm program, as it is or compressed by some
    ///   algorithm
    public static boolean isWasmLayer(String mediaType) {
        return WASM_LAYERS.contains(mediaType)
                || WASM_LAYERS.stream().anyMatch(type -> mediaType.startsWith(type + "+"));
    }

    /// @return whether a layer of this type belongs into a root file system
    public static boolean isTarLayer(String mediaType) {
        return mediaType.startsWith(OCI_LAYER_TAR)
                || mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.v1.tar")
                || mediaType.startsWith(DOCKER_LAYER)
                || mediaType.startsWith("application/vnd.docker.image.rootfs.foreign.diff.tar");
    }

    public static boolean isGzip(String mediaType) {
        return mediaType.endsWith(GZIP);
    }

    public static boolean isZstd(String mediaType) {
        return mediaType.endsWith("+zstd");
    }
}
