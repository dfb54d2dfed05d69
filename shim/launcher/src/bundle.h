#ifndef ATOLL_BUNDLE_H
#define ATOLL_BUNDLE_H

#include "failure.h"
#include "wire.h"

#include <stdbool.h>

// Writes the bundle's `address` file, from which containerd 1.x finds the daemon after its restart. Atomic.
bool bundle_write_address(const char *address, struct failure *failure);

// Detaches whatever is mounted on the bundle's rootfs, and removes nothing: containerd does, once it is
// unmounted.
void bundle_release(const char *bundle);

// A containerd.task.v2.DeleteResponse for a task that nobody knows the end of: killed, just now.
void bundle_put_killed(struct writer *writer);

#endif
