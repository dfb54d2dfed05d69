package dev.atoll.sandbox.files;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.MountSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.engine.ViewRequest;
import dev.atoll.sandbox.engine.ViewRequest.ViewMount;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which of a container's mounts its guest gets.
///
/// Volumes and kubelet's files (`/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname`, `/dev/shm`,
/// `/dev/termination-log`) come as binds and are given; what shows the kernel (`/proc`, `/sys`,
/// cgroups, terminals, queues) is left out; the engine makes its own `/dev`. Anything else is
/// refused in words.
public final class FilesystemView {
    private static final Set<String> LEFT_OUT =
            Set.of("cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs");

    private static final Set<String> ROOTFS_TYPES =
            Set.of("bind", "btrfs", "erofs", "ext4", "overlay", "tmpfs", "xfs", "zfs");

    private static final Path DEV = Path.of("/dev");
    private static final Path ROOT = Path.of("/");

    private FilesystemView() {}

    /// @param bundle relative paths of the spec start there
    /// @throws InvalidWorkload if a mount cannot be given
    public static ViewRequest of(Path bundle, List<RootfsMount> rootfs, RuntimeSpec spec) {
        rootfs.forEach(FilesystemView::checkRootfs);
        List<ViewMount> mounts = new ArrayList<>();
        for (MountSpec mount : spec.mounts()) {
            mount(bundle, mount).ifPresent(mounts::add);
        }
        Path root = hostPath(bundle, spec.root().path(), "root.path");
        return new ViewRequest(rootfs, root.toString(), spec.root().readonly(), mounts);
    }

    /// The root file system without any of the spec's mounts.
    ///
    /// @throws InvalidWorkload if it cannot be given
    public static ViewRequest ofRootfs(Path bundle, List<RootfsMount> rootfs, RuntimeSpec spec) {
        rootfs.forEach(FilesystemView::checkRootfs);
        Path root = hostPath(bundle, spec.root().path(), "root.path");
        return new ViewRequest(rootfs, root.toString(), true, List.of());
    }

    private static void checkRootfs(RootfsMount mount) {
        if (!ROOTFS_TYPES.contains(mount.type())) {
            throw new InvalidWorkload(
                    "root file system of mount type \"%s\" is not supported for wasm containers: use a snapshotter that gives overlay or bind mounts, such as overlayfs or native"
                            .formatted(mount.type()));
        }
        if (!mount.target().isEmpty()) {
            throw new InvalidWorkload(
                    "root file system with a mount at \"%s\" below its root is not supported for wasm containers: use a snapshotter that mounts at the root only, such as overlayfs"
                            .formatted(mount.target()));
        }
    }

    private static Optional<ViewMount> mount(Path bundle, MountSpec mount) {
        if (LEFT_OUT.contains(mount.type())) {
            return Optional.empty();
        }
        Path destination = destination(mount);
        if (mount.type().equals("tmpfs") && destination.equals(DEV)) {
            return Optional.empty();
        }
        MountOptions options = MountOptions.parse(destination.toString(), mount.options());
        boolean bind = mount.type().equals("bind") || options.bind();
        if (bind) {
            return Optional.of(bind(bundle, mount, destination, options));
        }
        if (mount.type().equals("tmpfs")) {
            return Optional.of(
                    ViewMount.tmpfs(destination.toString(), options.readonly(), options.data()));
        }
        throw new InvalidWorkload(
                "mount type \"%s\" of %s is not supported for wasm containers: use a bind mount or a tmpfs"
                        .formatted(mount.type(), destination));
    }

    private static ViewMount bind(
            Path bundle, MountSpec mount, Path destination, MountOptions options) {
        if (destination.equals(DEV)) {
            throw new InvalidWorkload(
                    "a volume at /dev is not supported for wasm containers, which have a /dev of their own: mount it at another path");
        }
        if (!options.data().isEmpty()) {
            throw new InvalidWorkload(
                    "mount option \"%s\" of %s is for a tmpfs, and this is a bind mount: remove it"
                            .formatted(options.data().getFirst(), destination));
        }
        Path source = hostPath(bundle, mount.source(), "source of mount " + destination);
        return options.toBind(destination.toString(), source.toString());
    }

    /// Relative destinations start at the root, as the runtime spec says; `..` cannot leave it.
    private static Path destination(MountSpec mount) {
        if (mount.destination().isEmpty()) {
            throw new InvalidWorkload(
                    "a mount of type \"%s\" has no destination: expected an absolute path"
                            .formatted(mount.type()));
        }
        Path destination = path("/" + mount.destination(), "destination of a mount").normalize();
        if (destination.equals(ROOT)) {
            throw new InvalidWorkload(
                    "a mount at / would hide the whole image: mount it at a path below");
        }
        return destination;
    }

    private static Path hostPath(Path bundle, String text, String what) {
        if (text.isEmpty()) {
            throw new InvalidWorkload("%s is empty: expected a path".formatted(what));
        }
        return bundle.resolve(path(text, what)).normalize();
    }

    private static Path path(String text, String what) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new InvalidWorkload("%s is not a path: %s".formatted(what, e.getReason()), e);
        }
    }
}
