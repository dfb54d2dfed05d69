package dev.atoll.shim.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.StringValue;
import dev.atoll.oci.containerd.UnixSocketFactory;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.status.NotFound;
import io.grpc.CallOptions;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.okhttp.OkHttpChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ApiServerIT {
    @TempDir Path directory;

    private static final StringValue TEXT = StringValue.getDefaultInstance();

    @Test
    void callsAreAnsweredWithTheirNamespaceAndErrorsWithTheirCodes() throws IOException {
        Path socket = directory.resolve("api.sock");
        RpcService service =
                new RpcService(
                        "test.Echo",
                        List.of(
                                RpcMethod.quick(
                                        "Echo",
                                        TEXT,
                                        TEXT,
                                        (context, request) ->
                                                StringValue.of(
                                                        context.namespace()
                                                                + ":"
                                                                + request.getValue())),
                                RpcMethod.blocking(
                                        "Missing",
                                        TEXT,
                                        TEXT,
                                        (_, _) -> {
                                            throw new NotFound("no such thing");
                                        })));
        try (ApiServer _ = ApiServer.start(socket, PeerCheck.ownUserAndRoot(), List.of(service))) {
            ManagedChannel channel =
                    OkHttpChannelBuilder.forTarget(
                                    "dns:///127.0.0.1:1", InsecureChannelCredentials.create())
                            .socketFactory(new UnixSocketFactory(socket))
                            .build();
            try {
                assertThat(call(channel, "Echo", "hi")).isEqualTo("k8s.io:hi");
                assertThatThrownBy(() -> call(channel, "Missing", "hi"))
                        .isInstanceOfSatisfying(
                                StatusRuntimeException.class,
                                e -> {
                                    assertThat(e.getStatus().getCode())
                                            .isEqualTo(Status.Code.NOT_FOUND);
                                    assertThat(e.getStatus().getDescription())
                                            .isEqualTo("no such thing");
                                });
            } finally {
                channel.shutdownNow();
            }
        }
        assertThat(socket).doesNotExist();
    }

    private static String call(ManagedChannel channel, String method, String text) {
        MethodDescriptor<StringValue, StringValue> descriptor =
                MethodDescriptor.<StringValue, StringValue>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName("test.Echo/" + method)
                        .setRequestMarshaller(ProtoUtils.marshaller(TEXT))
                        .setResponseMarshaller(ProtoUtils.marshaller(TEXT))
                        .build();
        Metadata headers = new Metadata();
        headers.put(
                Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER),
                "k8s.io");
        return ClientCalls.blockingUnaryCall(
                        io.grpc.ClientInterceptors.intercept(
                                channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
                        descriptor,
                        CallOptions.DEFAULT,
                        StringValue.of(text))
                .getValue();
    }
}
