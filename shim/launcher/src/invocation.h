#ifndef ATOLL_INVOCATION_H
#define ATOLL_INVOCATION_H

#include "failure.h"
#include "flags.h"
#include "wire.h"

#include <stdbool.h>

enum { MAX_INPUT = 1024 * 1024 };

// Who asks for what, put together from standard input, flags and environment, in this order of trust.
struct invocation {
    char namespace[256];
    char id[256];
    char ttrpc_address[512];
    char grpc_address[512];
    bool debug;
};

// Reads standard input to its end, so that containerd never meets a closed pipe, and keeps the first
// MAX_INPUT bytes. Longer input is no BootstrapParams and comes back empty; so does a terminal or a closed
// descriptor.
struct span invocation_input(void);

// The input is BootstrapParams (containerd 2.3 and later) if its id and namespace are those of the flags, or,
// should a later containerd drop these flags, if it holds fields that an Any has not. Anything else is an Any
// with runtime options, of which there are none yet, and is ignored.
bool invocation_resolve(struct invocation *invocation, const struct flags *flags, struct span input,
                        struct failure *failure);

#endif
