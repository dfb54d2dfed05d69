package dev.atoll.oci;

import java.util.Objects;
import java.util.regex.Pattern;

/// A content digest as OCI writes it: `algorithm:hex` (image-spec, descriptor.md). Only `sha256`
/// and `sha512` exist there.
public record Digest(String algorithm, String hex) {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]+");

    public Digest {
        Objects.requireNonNull(algorithm, "algorithm");
        Objects.requireNonNull(hex, "hex");
        int length =
                switch (algorithm) {
                    case "sha256" -> 64;
                    case "sha512" -> 128;
                    default ->
                            throw new InvalidImage(
                                    "digest algorithm %s is not supported: expected sha256 or sha512"
                                            .formatted(OneLine.quoted(algorithm)));
                };
        if (hex.length() != length || !HEX.matcher(hex).matches()) {
            throw new InvalidImage(
                    "%s is not a %s digest: expected %d lower-case hexadecimal digits"
                            .formatted(OneLine.quoted(hex), algorithm, length));
        }
    }

    /// @throws InvalidImage if `text` is not `algorithm:hex`
    public static Digest parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new InvalidImage(
                    OneLine.quoted(text) + " is not a digest: expected algorithm:hex");
        }
        return new Digest(text.substring(0, colon), text.substring(colon + 1));
    }

    @Override
    public String toString() {
        return algorithm + ":" + hex;
    }
}
