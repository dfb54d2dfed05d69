package dev.atoll.deploy.install;

import java.util.List;

/// Atoll's part of a configuration file: lines between two marks at the end of it. Everything
/// before them, comments and format too, stays as its owner wrote it.
final class RuntimeBlock {
    private static final String BEGIN =
            "# BEGIN atoll: written by `atoll install`, removed by `atoll uninstall`";
    private static final String END = "# END atoll";
    private static final String START = "\n" + BEGIN + "\n";

    /// The runtime that containerd 1.7 has as long as its configuration has none, with its
    /// settings.
    static final String BUILT_IN_RUNTIME =
            """
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
              sandbox_mode = "podsandbox"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
              BinaryName = ""
              CriuImagePath = ""
              CriuPath = ""
              CriuWorkPath = ""
              IoGid = 0
              IoUid = 0
              NoNewKeyring = false
              NoPivotRoot = false
              Root = ""
              ShimCgroup = ""
              SystemdCgroup = false
            """;

    private RuntimeBlock() {}

    /// The tables of the runtimes.
    ///
    /// @param plugin CRI's name in the file's version
    static String tables(String plugin, List<String> handlers, String runtimeType) {
        StringBuilder text = new StringBuilder();
        for (String handler : handlers) {
            text.append(
                    """
                    [plugins."%s".containerd.runtimes.%s]
                      runtime_type = "%s"
                    """
                            .formatted(plugin, key(handler), runtimeType));
        }
        return text.toString();
    }

    private static String key(String handler) {
        return handler.matches("[A-Za-z0-9_-]+") ? handler : "\"" + handler + "\"";
    }

    static boolean isIn(String text) {
        return text.contains(BEGIN);
    }

    /// The text with the block at its end, in place of an earlier block.
    static String append(String text, String content) throws InstallFailed {
        return strip(text) + START + content + END + "\n";
    }

    /// The text as it was before a block was appended.
    ///
    /// @throws InstallFailed if a mark is there without the other
    static String strip(String text) throws InstallFailed {
        int begin = text.indexOf(START);
        int end = text.indexOf("\n" + END + "\n");
        if (begin < 0 && !text.contains(BEGIN) && !text.contains(END)) {
            return text;
        }
        if (begin < 0 || end < begin) {
            throw new InstallFailed(
                    "only one of the lines \"%s\" and \"%s\" is in containerd's configuration: remove what Atoll wrote there by hand"
                            .formatted(BEGIN, END));
        }
        return strip(text.substring(0, begin) + text.substring(end + END.length() + 2));
    }
}
