package dev.atoll.sandbox.files;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.ViewRequest.ViewMount;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The options of one mount of a runtime spec, sorted by what they mean here.
///
/// @param recursive with what is mounted below
/// @param readonlyBelow what is mounted below is read-only, too
/// @param data what a tmpfs is told, such as `size=64k`
record MountOptions(
        boolean bind,
        boolean readonly,
        boolean recursive,
        boolean readonlyBelow,
        List<String> data) {
    /// Without an effect in a view: it is private, nosuid and nodev in any case, and nothing is
    /// executed from it by the kernel.
    private static final Set<String> WITHOUT_EFFECT =
            Set.of(
                    "async",
                    "atime",
                    "defaults",
                    "dev",
                    "diratime",
                    "dirsync",
                    "exec",
                    "iversion",
                    "lazytime",
                    "loud",
                    "mand",
                    "noatime",
                    "nodev",
                    "nodiratime",
                    "noexec",
                    "noiversion",
                    "nolazytime",
                    "nomand",
                    "norelatime",
                    "nostrictatime",
                    "nosuid",
                    "nosymfollow",
                    "private",
                    "relatime",
                    "rnodev",
                    "rnoexec",
                    "rnosuid",
                    "rprivate",
                    "rshared",
                    "rslave",
                    "runbindable",
                    "shared",
                    "silent",
                    "slave",
                    "strictatime",
                    "suid",
                    "sync",
                    "unbindable");

    private static final Set<String> TMPFS_DATA =
            Set.of("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks");

    MountOptions {
        data = List.copyOf(data);
    }

    /// Later options win over earlier ones, as in mount(8).
    ///
    /// @throws InvalidWorkload if one is unknown: leaving it out could give more than was meant
    static MountOptions parse(String destination, List<String> options) {
        boolean bind = false;
        boolean readonly = false;
        boolean recursive = false;
        boolean readonlyBelow = false;
        List<String> data = new ArrayList<>();
        for (String option : options) {
            switch (option) {
                case "bind" -> bind = true;
                case "rbind" -> {
                    bind = true;
                    recursive = true;
                }
                case "ro" -> readonly = true;
                case "rro" -> {
                    readonly = true;
                    recursive = true;
                    readonlyBelow = true;
                }
                case "rw", "rrw" -> {
                    readonly = false;
                    readonlyBelow = false;
                }
                default -> {
                    if (isTmpfsData(option)) {
                        data.add(option);
                    } else if (!WITHOUT_EFFECT.contains(option)) {
                        throw new InvalidWorkload(
                                "mount option \"%s\" of %s is not supported for wasm containers: use bind or rbind with ro, rro or rw; a tmpfs takes size, mode, uid, gid, nr_inodes and nr_blocks"
                                        .formatted(option, destination));
                    }
                }
            }
        }
        return new MountOptions(bind, readonly, recursive, readonlyBelow, data);
    }

    ViewMount toBind(String destination, String source) {
        return readonlyBelow
                ? ViewMount.readonlyTree(destination, source)
                : ViewMount.bind(destination, source, readonly, recursive);
    }

    private static boolean isTmpfsData(String option) {
        int equals = option.indexOf('=');
        return equals > 0 && TMPFS_DATA.contains(option.substring(0, equals));
    }
}
