package dev.atoll.shim.status;

import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.ContentUnavailable;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.OciException;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxExhausted;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.WorkloadBusy;
import dev.atoll.sandbox.WorkloadEnded;
import java.util.regex.Pattern;

/// The one place that turns exceptions into status codes. Stateless.
public final class StatusMapper {
    private static final Pattern LINE_BREAKS = Pattern.compile("\\s*[\\r\\n]+\\s*");

    private StatusMapper() {}

    public static RpcFailure map(Throwable error) {
        return switch (error) {
            case ShimException refusal -> failure(code(refusal), refusal);
            case OciException refusal -> failure(code(refusal), refusal);
            case SandboxException refusal -> failure(code(refusal), refusal);
            default ->
                    new RpcFailure(
                            StatusCode.INTERNAL,
                            oneLine("internal error of the Atoll daemon, see its log: " + error));
        };
    }

    /// Whether `error` is an expected refusal, which needs no stack trace in the log.
    public static boolean isRefusal(Throwable error) {
        return error instanceof ShimException
                || error instanceof OciException
                || error instanceof SandboxException;
    }

    private static StatusCode code(ShimException refusal) {
        return switch (refusal) {
            case InvalidArgument _ -> StatusCode.INVALID_ARGUMENT;
            case NotFound _ -> StatusCode.NOT_FOUND;
            case AlreadyExists _ -> StatusCode.ALREADY_EXISTS;
            case FailedPrecondition _ -> StatusCode.FAILED_PRECONDITION;
            case ResourceExhausted _ -> StatusCode.RESOURCE_EXHAUSTED;
            case Unimplemented _ -> StatusCode.UNIMPLEMENTED;
            case Unavailable _ -> StatusCode.UNAVAILABLE;
            case Relayed relayed -> relayed.code();
        };
    }

    /// Content that is gone is not "container not found": containerd would take that for success of
    /// a deletion.
    private static StatusCode code(OciException refusal) {
        return switch (refusal) {
            case InvalidImage _ -> StatusCode.INVALID_ARGUMENT;
            case InvalidSpec _ -> StatusCode.INVALID_ARGUMENT;
            case ContentNotFound _ -> StatusCode.FAILED_PRECONDITION;
            case ContentUnavailable _ -> StatusCode.UNAVAILABLE;
        };
    }

    private static StatusCode code(SandboxException refusal) {
        return switch (refusal) {
            case InvalidWorkload _ -> StatusCode.INVALID_ARGUMENT;
            case NativeProgram _ -> StatusCode.INVALID_ARGUMENT;
            case WorkloadEnded _ -> StatusCode.NOT_FOUND;
            case WorkloadBusy _ -> StatusCode.FAILED_PRECONDITION;
            case SandboxExhausted _ -> StatusCode.RESOURCE_EXHAUSTED;
            case SandboxFailure _ -> StatusCode.INTERNAL;
        };
    }

    private static RpcFailure failure(StatusCode code, RuntimeException refusal) {
        String message = refusal.getMessage();
        return new RpcFailure(
                code, oneLine(message == null ? refusal.getClass().getSimpleName() : message));
    }

    private static String oneLine(String message) {
        return LINE_BREAKS.matcher(message.strip()).replaceAll("; ");
    }
}
