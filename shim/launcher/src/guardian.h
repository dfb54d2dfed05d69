#ifndef ATOLL_GUARDIAN_H
#define ATOLL_GUARDIAN_H

#include "invocation.h"
#include "rundir.h"

// The life of the guardian process, a fork of the launcher: starts the daemon and watches over its start with
// the lock held. Writes one sentence to `report` if the daemon could not be started or ended, nothing if it
// answers.
_Noreturn void guardian_run(const struct run_dir *directory, const struct invocation *invocation,
                            const char *program, int lock, int report);

#endif
