#ifndef ATOLL_RUNDIR_H
#define ATOLL_RUNDIR_H

#include "failure.h"

#include <stdbool.h>

enum { MAX_RUN_DIR = 256 };

// Where the daemon of this node keeps its sockets.
struct run_dir {
    char path[MAX_RUN_DIR];
    char socket[MAX_RUN_DIR + 16];
    char lock[MAX_RUN_DIR + 16];
    char log[MAX_RUN_DIR + 16];
    char old_log[MAX_RUN_DIR + 16];
};

// ATOLL_RUN_DIR, or else /run/atoll. Touches nothing.
bool run_dir_locate(struct run_dir *directory, struct failure *failure);

// Makes it (0700) unless it is there, and checks that nobody else can put sockets into it.
bool run_dir_make(const struct run_dir *directory, struct failure *failure);

#endif
