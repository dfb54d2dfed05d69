/// The daemon's services over grpc-java on the JDK's UNIX-domain channels. The only package that
/// knows gRPC.
@NullMarked
package dev.atoll.shim.grpc;

import org.jspecify.annotations.NullMarked;
