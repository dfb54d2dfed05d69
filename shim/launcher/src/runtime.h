#ifndef ATOLL_RUNTIME_H
#define ATOLL_RUNTIME_H

#include "clock.h"
#include "failure.h"
#include "flags.h"
#include "rundir.h"
#include "wire.h"

#include <stdbool.h>

// For the daemon: runs another shim's program with its arguments as containerd runs one, and not as a process
// that hosts tenants would: umask 022, an OOM score of -999 (of which the shim makes its own) where the
// kernel lets it be written. Returns its exit status.
int runtime_run(char *const arguments[]);

enum { RUNTIME_MILLISECONDS = 4 * 1000 };

// Whether Atoll keeps a bundle for this container, since it handed the container to another shim.
bool runtime_has(const struct run_dir *directory, const char *namespace, const char *id);

// Without the daemon: ends what was handed to another shim, that shim itself and the bundle. Fills the buffer
// with the DeleteResponse that the other shim's program prints; false if there is none.
bool runtime_release(const struct run_dir *directory, const struct flags *flags, const char *namespace,
                     const char *id, uint8_t *buffer, size_t capacity, struct span *response);

#endif
