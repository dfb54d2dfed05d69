#ifndef ATOLL_FLAGS_H
#define ATOLL_FLAGS_H

#include "failure.h"

#include <stdbool.h>

// What containerd, or a curious user, put on the command line. Strings point into argv and are never NULL.
struct flags {
    const char *namespace;
    const char *address;
    const char *publish_binary;
    const char *id;
    const char *bundle;
    // The first argument that is no flag: start or delete; empty when there is none.
    const char *verb;
    bool debug;
    bool version;
    bool info;
};

// Reads flags as Go's flag package does: `-x v`, `--x v`, `-x=v`, `--x=v`, booleans only as `-x` or
// `-x=true`,
// `--` ends them, and so does the verb.
//
// Unlike Go's package it bears flags that it does not know, so that a later containerd still works: such a
// flag is skipped, and with it the following argument unless that is a flag itself, a verb, or the last
// argument.
bool flags_parse(struct flags *flags, int argc, char *const argv[], struct failure *failure);

#endif
