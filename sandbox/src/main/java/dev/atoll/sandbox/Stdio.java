package dev.atoll.sandbox;

/// Paths of a container's streams as containerd gives them; an empty path means that there is none.
public record Stdio(String stdin, String stdout, String stderr) {
    public static final Stdio NONE = new Stdio("", "", "");

    /// What a terminal has of these: it is one stream, and containerd may name a path for standard
    /// error all the same, which nobody opens.
    public Stdio ofTerminal() {
        return new Stdio(stdin, stdout, "");
    }
}
