/// The client of containerd's gRPC API: container records, images, content and leases. The only
/// package that knows gRPC and containerd's messages; its own methods speak in records of `oci` and
/// `image`. `program` comes in.
@NullMarked
package dev.atoll.oci.containerd;

import org.jspecify.annotations.NullMarked;
