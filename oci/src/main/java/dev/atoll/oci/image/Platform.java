package dev.atoll.oci.image;

/// What an index entry or an image config says it runs on (OCI image-spec, image-index.md).
public record Platform(String os, String architecture) {
    /// @return the platform of this machine, in OCI's words (Go's `GOOS` and `GOARCH`)
    public static Platform host() {
        String architecture = System.getProperty("os.arch", "unknown");
        return new Platform(
                "linux",
                switch (architecture) {
                    case "x86_64", "amd64" -> "amd64";
                    case "aarch64" -> "arm64";
                    default -> architecture;
                });
    }

    /// @return whether this is wasm on some WASI: `wasip1`, `wasip2`, and `wasi` as Docker writes
    ///   it
    public boolean isWasm() {
        return architecture.equals("wasm")
                && (os.equals("wasip1") || os.equals("wasip2") || os.equals("wasi"));
    }

    /// @return whether the entry is no image but an attestation about one, as Docker's buildx marks
    ///   it
    public boolean isUnknown() {
        return os.equals("unknown") && architecture.equals("unknown");
    }

    @Override
    public String toString() {
        return os + "/" + architecture;
    }
}
