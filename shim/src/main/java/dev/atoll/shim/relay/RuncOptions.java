package dev.atoll.shim.relay;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.atoll.api.containerd.runc.Options;
import dev.atoll.shim.status.InvalidArgument;
import java.util.Optional;

/// The options that the shim for runc gets with `Create`. Stateless.
final class RuncOptions {
    private static final String TYPE = Options.getDescriptor().getFullName();

    private RuncOptions() {}

    /// Those that containerd sent, if they are meant for runc. Options of another type are those of
    /// the pod's runtime handler: the shim for runc would not know them.
    ///
    /// Whether systemd makes the cgroups is said in the handler's options for runc, which a handler
    /// of WebAssembly does not have; but the form of the path tells (runc, `docs/systemd.md`:
    /// `slice:prefix:name`).
    ///
    /// @param cgroupsPath of the runtime spec
    static Optional<Any> of(Optional<Any> sent, Optional<String> cgroupsPath) {
        Optional<Any> options = sent.filter(any -> any.getTypeUrl().equals(TYPE));
        boolean systemd = cgroupsPath.filter(path -> path.split(":", -1).length == 3).isPresent();
        if (!systemd) {
            return options;
        }
        Options.Builder builder = Options.newBuilder();
        try {
            if (options.isPresent()) {
                builder.mergeFrom(options.get().getValue());
            }
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidArgument("the runtime's options cannot be decoded: " + e.getMessage());
        }
        return Optional.of(
                Any.newBuilder()
                        .setTypeUrl(TYPE)
                        .setValue(builder.setSystemdCgroup(true).build().toByteString())
                        .build());
    }
}
