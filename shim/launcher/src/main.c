// The launcher containerd executes for a container: `start` makes sure that the node's daemon runs and prints
// its address, `delete` cleans up after a container whose connection ended. It keeps no state and is silent
// on success.
#include "bundle.h"
#include "client.h"
#include "daemon.h"
#include "flags.h"
#include "invocation.h"
#include "namespaces.h"
#include "rundir.h"
#include "runtime.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ATOLL_VERSION
#define ATOLL_VERSION "unknown"
#endif
#ifndef ATOLL_REVISION
#define ATOLL_REVISION "unknown"
#endif

enum {
    START_MILLISECONDS = 10 * 1000,
    DELETE_MILLISECONDS = 1000,
    MAX_ADDRESS = 512,
};

static uint8_t buffer[MAX_MESSAGE];

static int complain(const struct failure *failure) {
    (void)fprintf(stderr, "%s\n", failure->text);
    return EXIT_FAILURE;
}

static int print(const void *bytes, size_t length) {
    const uint8_t *rest = bytes;
    while (length > 0) {
        ssize_t count = write(STDOUT_FILENO, rest, length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return EXIT_FAILURE;
        }
        rest += count;
        length -= (size_t)count;
    }
    return EXIT_SUCCESS;
}

static bool locate_bundle(const struct flags *flags, char bundle[PATH_MAX], struct failure *failure) {
    if (flags->bundle[0] != '\0') {
        if (strlen(flags->bundle) >= PATH_MAX) {
            return fail(failure, "the path of the bundle is longer than %d bytes", PATH_MAX - 1);
        }
        memcpy(bundle, flags->bundle, strlen(flags->bundle) + 1);
        return true;
    }
    return getcwd(bundle, PATH_MAX) != NULL ||
           fail(failure, "cannot find out the bundle: %s", strerror(errno));
}

// The address is what containerd dials, so nothing but a UNIX socket passes.
static bool read_address(const struct response *response, char address[MAX_ADDRESS],
                         struct failure *failure) {
    if (response->code != 0) {
        if (response->message.length == 0) {
            return fail(failure, "Atoll's daemon refused the container with code %u", response->code);
        }
        int length = response->message.length < sizeof failure->text ? (int)response->message.length
                                                                     : (int)sizeof failure->text - 1;
        return fail(failure, "%.*s", length, (const char *)response->message.bytes);
    }
    struct span text;
    if (!find_bytes(response->payload, 1, &text) || !span_to_text(text, address, MAX_ADDRESS) ||
        strncmp(address, "unix:///", strlen("unix:///")) != 0) {
        return fail(failure, "Atoll's daemon answered with something else than the address unix:///path");
    }
    return true;
}

static bool announce(const struct run_dir *directory, const struct invocation *invocation,
                     struct span request, struct response *response, struct failure *failure) {
    enum calling calling = CALL_BROKEN;
    // A daemon that ends just now, for an update or by a crash, is worth a second try: the next one is on its
    // way.
    for (int attempt = 0; attempt < 2 && calling == CALL_BROKEN; attempt++) {
        int connection;
        if (!daemon_connect(directory, invocation, moment_now() + START_MILLISECONDS, &connection, failure)) {
            return false;
        }
        calling = client_call(connection, LAUNCHER_SERVICE, "Start", request,
                              moment_now() + START_MILLISECONDS, buffer, response, failure);
        (void)close(connection);
    }
    return calling == CALL_ANSWERED;
}

static int start(const struct flags *flags) {
    struct failure failure;
    struct invocation invocation;
    struct run_dir directory;
    char bundle[PATH_MAX];
    if (!invocation_resolve(&invocation, flags, invocation_input(), &failure) ||
        !locate_bundle(flags, bundle, &failure) || !run_dir_locate(&directory, &failure)) {
        return complain(&failure);
    }
    uint8_t bytes[PATH_MAX + sizeof invocation + 64];
    struct writer request = {.bytes = bytes, .capacity = sizeof bytes};
    put_text(&request, 1, invocation.namespace);
    put_text(&request, 2, invocation.id);
    put_text(&request, 3, bundle);
    put_text(&request, 4, invocation.ttrpc_address);
    put_text(&request, 5, invocation.grpc_address);
    put_number(&request, 6, invocation.debug);

    struct response response;
    char address[MAX_ADDRESS];
    if (!announce(&directory, &invocation, (struct span){bytes, request.length}, &response, &failure) ||
        !read_address(&response, address, &failure) || !bundle_write_address(address, &failure)) {
        return complain(&failure);
    }
    return print(address, strlen(address));
}

// True when the daemon knows how the task ended.
static bool ask_for_end(const struct run_dir *directory, const char *bundle,
                        const struct invocation *invocation, int milliseconds, struct response *response) {
    moment deadline = moment_now() + milliseconds;
    struct failure unreported; // containerd gets an answer in any case
    int connection;
    if (client_dial(directory->socket, deadline, &connection, &unreported) != DIALLED) {
        return false;
    }
    uint8_t bytes[PATH_MAX + sizeof *invocation + 64];
    struct writer request = {.bytes = bytes, .capacity = sizeof bytes};
    put_text(&request, 1, invocation->namespace);
    put_text(&request, 2, invocation->id);
    put_text(&request, 3, bundle);
    enum calling calling =
        client_call(connection, LAUNCHER_SERVICE, "Delete", (struct span){bytes, request.length}, deadline,
                    buffer, response, &unreported);
    (void)close(connection);
    struct span exited_at;
    return calling == CALL_ANSWERED && response->code == 0 && find_bytes(response->payload, 3, &exited_at) &&
           exited_at.length > 0;
}

static int delete (const struct flags *flags) {
    struct failure failure;
    struct invocation invocation;
    char bundle[PATH_MAX];
    if (!invocation_resolve(&invocation, flags, (struct span){buffer, 0}, &failure) ||
        !locate_bundle(flags, bundle, &failure)) {
        return complain(&failure);
    }
    struct response response;
    struct run_dir directory;
    if (run_dir_locate(&directory, &failure)) {
        // A container of another shim takes the daemon longer to end.
        bool native = runtime_has(&directory, invocation.namespace, invocation.id);
        if (ask_for_end(&directory, bundle, &invocation, native ? RUNTIME_MILLISECONDS : DELETE_MILLISECONDS,
                        &response)) {
            (void)print(response.payload.bytes, response.payload.length);
            return EXIT_SUCCESS;
        }
        struct span end;
        if (native && runtime_release(&directory, flags, invocation.namespace, invocation.id, buffer,
                                      sizeof buffer, &end)) {
            (void)print(end.bytes, end.length);
            return EXIT_SUCCESS;
        }
    }
    bundle_release(bundle);
    struct writer killed = {.bytes = buffer, .capacity = sizeof buffer};
    bundle_put_killed(&killed);
    (void)print(buffer, killed.length);
    return EXIT_SUCCESS;
}

// containerd.types.RuntimeInfo. Features stand for what a pod may ask for: recursively read-only mounts
// (`rro`), but none with mapped ids. Without any features containerd logs an error for every pod.
static int info(void) {
    static const char features[] = "{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.2.1\","
                                   "\"mountOptions\":[\"bind\",\"rbind\",\"ro\",\"rro\",\"rrw\",\"rw\"],"
                                   "\"linux\":{\"mountExtensions\":{\"idmap\":{\"enabled\":false}}}}";
    uint8_t nested[512];
    struct writer version = {.bytes = nested, .capacity = sizeof nested};
    put_text(&version, 1, ATOLL_VERSION);
    put_text(&version, 2, ATOLL_REVISION);
    struct writer reply = {.bytes = buffer, .capacity = sizeof buffer};
    put_text(&reply, 1, "io.containerd.wasmtime.v1");
    put_bytes(&reply, 2, nested, version.length);
    struct writer any = {.bytes = nested, .capacity = sizeof nested};
    put_text(&any, 1, "types.containerd.io/opencontainers/runtime-spec/1/features/Features");
    put_text(&any, 2, features);
    put_bytes(&reply, 4, nested, any.length);
    return print(buffer, reply.length);
}

static int version(void) {
    (void)printf("containerd-shim-wasmtime-v1:\n  Version:  %s\n  Revision: %s\n", ATOLL_VERSION,
                 ATOLL_REVISION);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[]) {
    struct flags flags;
    struct failure failure;
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 0 && strcmp(argv[0], INIT_NAME) == 0) {
        return namespaces_init_run();
    }
    if (argc > 1 && strcmp(argv[1], "namespaces") == 0) {
        return namespaces_run(argc - 2, argv + 2);
    }
    if (argc > 2 && strcmp(argv[1], "runtime") == 0) {
        return runtime_run(argv + 2);
    }
    if (!flags_parse(&flags, argc, argv, &failure)) {
        return complain(&failure);
    }
    if (flags.version) {
        return version();
    }
    if (flags.info) {
        return info();
    }
    if (strcmp(flags.verb, "start") == 0) {
        return start(&flags);
    }
    if (strcmp(flags.verb, "delete") == 0) {
        return delete (&flags);
    }
    (void)fail(
        &failure,
        "%s%s: containerd runs this program with -namespace NS -id ID and start or delete; -v and -info tell "
        "about it",
        flags.verb[0] == '\0' ? "there is no command" : "unknown command ", flags.verb);
    return complain(&failure);
}
