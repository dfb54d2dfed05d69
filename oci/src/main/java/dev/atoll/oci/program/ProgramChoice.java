package dev.atoll.oci.program;

import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.Manifest;
import dev.atoll.oci.image.MediaTypes;
import java.util.List;
import java.util.stream.Collectors;

/// The rules that say what of an image is the program, without any I/O:
///
/// 1. one wasm layer: that layer, whatever the entry's path says, since people write `/`,
///    `app.wasm` or anything (only `#export` counts);
/// 2. several wasm layers: the one whose title is the entry's path;
/// 3. no wasm layer but tar layers: a file of the root file system. Whether it is wasm is seen only
///    when it is opened.
///
/// Anything else is no program.
sealed interface ProgramChoice {
    /// @param title of the layer for messages, or the entry's path where it has none
    record InLayer(Descriptor layer, String title) implements ProgramChoice {}

    /// @param description of the image
    record InRootfs(String description) implements ProgramChoice {}

    /// @param name how messages call the image: `image x`
    static ProgramChoice choose(ResolvedImage image, String name, Entrypoint entrypoint) {
        Manifest manifest = image.manifest();
        if (!MediaTypes.isProgramConfig(manifest.config().mediaType())) {
            throw noProgram(manifest, name, entrypoint);
        }
        List<Descriptor> layers = manifest.wasmLayers();
        if (layers.size() == 1) {
            return inLayer(layers.getFirst(), entrypoint);
        }
        if (!layers.isEmpty()) {
            return inLayer(byTitle(layers, name, entrypoint), entrypoint);
        }
        if (manifest.hasTarLayer()) {
            return new InRootfs(describe(image));
        }
        throw noProgram(manifest, name, entrypoint);
    }

    private static InLayer inLayer(Descriptor layer, Entrypoint entrypoint) {
        return new InLayer(layer, OneLine.of(layer.title().orElse(entrypoint.path())));
    }

    private static Descriptor byTitle(List<Descriptor> layers, String name, Entrypoint entrypoint) {
        String path = withoutSlash(entrypoint.path());
        List<Descriptor> same =
                layers.stream()
                        .filter(layer ->
                                layer.title()
                                        .map(ProgramChoice::withoutSlash)
                                        .filter(path::equals)
                                        .isPresent())
                        .toList();
        if (same.isEmpty()) {
            String base = baseName(path);
            same =
                    layers.stream()
                            .filter(layer ->
                                    layer.title()
                                            .map(ProgramChoice::baseName)
                                            .filter(base::equals)
                                            .isPresent())
                            .toList();
        }
        if (same.size() == 1) {
            return same.getFirst();
        }
        String titles =
                layers.stream()
                        .map(layer -> layer.title().map(OneLine::quoted).orElse("(no title)"))
                        .limit(20)
                        .collect(Collectors.joining(", "));
        throw new InvalidImage(
                "%s of the %d wasm layers of %s %s the command %s: found the titles %s: set the container's command to one of them"
                        .formatted(
                                same.isEmpty() ? "none" : same.size(),
                                layers.size(),
                                name,
                                same.size() > 1 ? "match" : "matches",
                                OneLine.quoted(entrypoint.path()),
                                titles));
    }

    private static String withoutSlash(String path) {
        return path.startsWith("/") ? path.substring(1) : path;
    }

    private static String baseName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static String describe(ResolvedImage image) {
        List<String> tars =
                image.manifest().layers().stream()
                        .map(Descriptor::mediaType)
                        .filter(MediaTypes::isTarLayer)
                        .toList();
        String kind =
                image.manifest().config().mediaType().equals(MediaTypes.DOCKER_CONFIG)
                        ? "a Docker image"
                        : "an OCI image";
        return "%s%s with %d tar %s (%s)"
                .formatted(
                        kind,
                        image.platform(),
                        tars.size(),
                        tars.size() == 1 ? "layer" : "layers",
                        types(tars));
    }

    private static InvalidImage noProgram(Manifest manifest, String name, Entrypoint entrypoint) {
        List<String> types = manifest.layers().stream().map(Descriptor::mediaType).toList();
        return new InvalidImage(
                "%s is no WebAssembly program: found config type %s%s, %s, command %s: expected a layer of type %s (config type %s or %s) or an image with a .wasm file: build such an image, e.g. with `atoll push`"
                        .formatted(
                                name,
                                OneLine.of(manifest.config().mediaType()),
                                manifest.artifactType()
                                        .map(type -> ", artifact type " + OneLine.of(type))
                                        .orElse(""),
                                types.isEmpty() ? "no layers" : "layer types " + types(types),
                                OneLine.quoted(entrypoint.path()),
                                MediaTypes.WASM_LAYER,
                                MediaTypes.WASM_CONFIG,
                                MediaTypes.OCI_CONFIG));
    }

    private static String types(List<String> mediaTypes) {
        return OneLine.of(mediaTypes.stream().distinct().collect(Collectors.joining(", ")));
    }
}
