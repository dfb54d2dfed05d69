#ifndef ATOLL_DAEMON_H
#define ATOLL_DAEMON_H

#include "clock.h"
#include "failure.h"
#include "invocation.h"
#include "rundir.h"

#include <stdbool.h>

// Connects to the daemon, and starts it when there is none.
//
// Of many launchers at once one starts it, under a lock in the run directory. The lock is held on by a
// guardian, a child that outlives the launcher: containerd kills launchers whose request ended, and a daemon
// that is still coming up must not get a rival. The guardian leaves when the daemon answers or ends, and
// kills it after a minute.
bool daemon_connect(const struct run_dir *directory, const struct invocation *invocation, moment deadline,
                    int *connection, struct failure *failure);

#endif
