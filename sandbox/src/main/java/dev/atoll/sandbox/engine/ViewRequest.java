package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.RootfsMount;
import java.util.List;
import java.util.Optional;

/// What a guest's file system is made of.
///
/// @param rootDirectory used where `rootfs` is empty
/// @param mounts in the order in which they are made
public record ViewRequest(
        List<RootfsMount> rootfs, String rootDirectory, boolean readonly, List<ViewMount> mounts) {
    public ViewRequest {
        rootfs = List.copyOf(rootfs);
        mounts = List.copyOf(mounts);
    }

    /// A volume of the guest.
    ///
    /// @param destination absolute path inside
    /// @param source host path of a bind; a tmpfs has none
    /// @param recursive with what is mounted below the source
    /// @param options of a tmpfs, as in mount(8); of a bind `rro`, by which what is mounted below
    ///   is read-only, too
    public record ViewMount(
            String destination,
            Optional<String> source,
            boolean readonly,
            boolean recursive,
            List<String> options) {
        public ViewMount {
            options = List.copyOf(options);
        }

        public static ViewMount bind(
                String destination, String source, boolean readonly, boolean recursive) {
            return new ViewMount(destination, Optional.of(source), readonly, recursive, List.of());
        }

        public static ViewMount readonlyTree(String destination, String source) {
            return new ViewMount(destination, Optional.of(source), true, true, List.of("rro"));
        }

        public static ViewMount tmpfs(String destination, boolean readonly, List<String> options) {
            return new ViewMount(destination, Optional.empty(), readonly, false, options);
        }

        public String type() {
            return source.isPresent() ? "bind" : "tmpfs";
        }
    }
}
