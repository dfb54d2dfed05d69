#include "invocation.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// containerd.runtime.bootstrap.v1.BootstrapParams
enum {
    PARAMS_INSTANCE_ID = 1,
    PARAMS_NAMESPACE = 2,
    PARAMS_LOG_LEVEL = 3,
    PARAMS_TTRPC_ADDRESS = 5,
    PARAMS_GRPC_ADDRESS = 6,
};

enum { LOG_LEVEL_DEBUG = -4 };

struct params {
    struct span id;
    struct span namespace;
    struct span ttrpc_address;
    struct span grpc_address;
    int64_t log_level;
};

struct span invocation_input(void) {
    static uint8_t bytes[MAX_INPUT];
    struct span nothing = {bytes, 0};
    if (isatty(STDIN_FILENO)) {
        return nothing;
    }
    size_t length = 0;
    bool too_long = false;
    for (;;) {
        uint8_t rest[4096];
        bool room = length < sizeof bytes;
        ssize_t count = room ? read(STDIN_FILENO, bytes + length, sizeof bytes - length)
                             : read(STDIN_FILENO, rest, sizeof rest);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return too_long ? nothing : (struct span){bytes, length};
        }
        length += room ? (size_t)count : 0;
        too_long = too_long || !room;
    }
}

static bool read_params(struct span input, struct params *params) {
    uint64_t log_level;
    if (!find_bytes(input, PARAMS_INSTANCE_ID, &params->id) ||
        !find_bytes(input, PARAMS_NAMESPACE, &params->namespace) ||
        !find_number(input, PARAMS_LOG_LEVEL, &log_level) ||
        !find_bytes(input, PARAMS_TTRPC_ADDRESS, &params->ttrpc_address) ||
        !find_bytes(input, PARAMS_GRPC_ADDRESS, &params->grpc_address)) {
        return false;
    }
    params->log_level = (int32_t)log_level;
    return true;
}

static bool is_params(const struct params *params, const struct flags *flags) {
    if (flags->id[0] != '\0' || flags->namespace[0] != '\0') {
        return span_is(params->id, flags->id) && span_is(params->namespace, flags->namespace);
    }
    return params->id.length > 0 && params->namespace.length > 0 &&
           (params->ttrpc_address.length > 0 || params->grpc_address.length > 0);
}

// The first source that says anything.
static bool choose(char *text, size_t capacity, struct span first, const char *second, const char *third) {
    if (first.length > 0) {
        return span_to_text(first, text, capacity);
    }
    const char *chosen = second[0] != '\0' ? second : third != NULL ? third : "";
    return span_to_text((struct span){(const uint8_t *)chosen, strlen(chosen)}, text, capacity);
}

bool invocation_resolve(struct invocation *invocation, const struct flags *flags, struct span input,
                        struct failure *failure) {
    struct params params = {0};
    if (!read_params(input, &params) || !is_params(&params, flags)) {
        params = (struct params){0};
    }
    if (!choose(invocation->id, sizeof invocation->id, params.id, flags->id, NULL) ||
        !choose(invocation->namespace, sizeof invocation->namespace, params.namespace, flags->namespace,
                getenv("NAMESPACE"))) {
        return fail(failure,
                    "the container's id or namespace is longer than 255 bytes or holds control characters");
    }
    if (!choose(invocation->ttrpc_address, sizeof invocation->ttrpc_address, params.ttrpc_address, "",
                getenv("TTRPC_ADDRESS")) ||
        !choose(invocation->grpc_address, sizeof invocation->grpc_address, params.grpc_address,
                flags->address, getenv("GRPC_ADDRESS"))) {
        return fail(failure, "containerd's address is longer than 511 bytes or holds control characters");
    }
    invocation->debug = flags->debug || params.log_level <= LOG_LEVEL_DEBUG;
    if (invocation->id[0] == '\0' || strchr(invocation->id, '/') != NULL) {
        return fail(failure, "the container's id is %s: containerd passes it as -id ID",
                    invocation->id[0] == '\0' ? "missing" : "malformed, since it holds a slash");
    }
    if (invocation->namespace[0] == '\0') {
        return fail(failure,
                    "the containerd namespace is missing: containerd passes it as -namespace NAMESPACE");
    }
    return true;
}
