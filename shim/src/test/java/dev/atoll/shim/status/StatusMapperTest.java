package dev.atoll.shim.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.ContentUnavailable;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxExhausted;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.WorkloadEnded;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class StatusMapperTest {
    @TestFactory
    Stream<DynamicTest> everyExceptionHasItsCode() {
        return Map.<Throwable, StatusCode>ofEntries(
                        Map.entry(new InvalidArgument("m"), StatusCode.INVALID_ARGUMENT),
                        Map.entry(new NotFound("m"), StatusCode.NOT_FOUND),
                        Map.entry(new AlreadyExists("m"), StatusCode.ALREADY_EXISTS),
                        Map.entry(new FailedPrecondition("m"), StatusCode.FAILED_PRECONDITION),
                        Map.entry(new ResourceExhausted("m"), StatusCode.RESOURCE_EXHAUSTED),
                        Map.entry(new Unimplemented("m"), StatusCode.UNIMPLEMENTED),
                        Map.entry(new Unavailable("m"), StatusCode.UNAVAILABLE),
                        Map.entry(new InvalidImage("m"), StatusCode.INVALID_ARGUMENT),
                        Map.entry(new InvalidSpec("m"), StatusCode.INVALID_ARGUMENT),
                        Map.entry(new ContentNotFound("m"), StatusCode.FAILED_PRECONDITION),
                        Map.entry(new ContentUnavailable("m"), StatusCode.UNAVAILABLE),
                        Map.entry(new InvalidWorkload("m"), StatusCode.INVALID_ARGUMENT),
                        Map.entry(new WorkloadEnded("m"), StatusCode.NOT_FOUND),
                        Map.entry(new SandboxExhausted("m"), StatusCode.RESOURCE_EXHAUSTED),
                        Map.entry(new SandboxFailure("m"), StatusCode.INTERNAL))
                .entrySet()
                .stream()
                .map(entry ->
                        DynamicTest.dynamicTest(
                                entry.getKey().getClass().getSimpleName(),
                                () ->
                                        assertThat(StatusMapper.map(entry.getKey()))
                                                .isEqualTo(new RpcFailure(entry.getValue(), "m"))));
    }

    @Test
    void aBugIsInternalAndItsMessageOneLine() {
        RpcFailure failure = StatusMapper.map(new IllegalStateException("first\n  second"));

        assertThat(failure.code()).isEqualTo(StatusCode.INTERNAL);
        assertThat(failure.message()).doesNotContain("\n").contains("first; second");
    }
}
