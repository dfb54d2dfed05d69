package dev.atoll.oci.spec;

import dev.atoll.oci.json.JsonTree;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Changes single things in a copy of a bundle's `config.json`; what Atoll does not know stays in
/// it. Stateless.
public final class RuntimeSpecEditor {
    private RuntimeSpecEditor() {}

    /// @param namespaces instead of those that are there
    /// @param annotations beside or instead of those that are there
    /// @param root instead of the root directory's path, if given
    /// @return the new `config.json`
    /// @throws dev.atoll.oci.InvalidSpec if the bundle's cannot be read
    public static byte[] edit(
            Path bundle,
            String container,
            List<Namespace> namespaces,
            Map<String, String> annotations,
            Optional<Path> root) {
        JsonTree tree = RuntimeSpecReader.node(bundle, container).copy();
        tree.setObjects(
                List.of("linux", "namespaces"),
                namespaces.stream().map(RuntimeSpecEditor::members).toList());
        annotations.forEach((name, value) -> tree.setText(List.of("annotations", name), value));
        root.ifPresent(path -> tree.setText(List.of("root", "path"), path.toString()));
        return tree.toBytes();
    }

    private static Map<String, String> members(Namespace namespace) {
        Map<String, String> members = new LinkedHashMap<>();
        members.put("type", namespace.type());
        namespace.path().ifPresent(path -> members.put("path", path));
        return members;
    }
}
