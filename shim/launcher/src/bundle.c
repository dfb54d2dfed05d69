#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STACKED_MOUNTS = 64, EXIT_KILLED = 128 + 9 };

bool bundle_write_address(const char *address, struct failure *failure) {
    int fd = open(".address", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail(failure, "cannot write the file address in the container's bundle: %s", strerror(errno));
    }
    size_t length = strlen(address);
    ssize_t written = write(fd, address, length);
    int error = written < 0 ? errno : ENOSPC;
    bool complete = close(fd) == 0 && written == (ssize_t)length;
    if (!complete || rename(".address", "address") != 0) {
        error = complete ? errno : error;
        (void)unlink(".address");
        return fail(failure, "cannot write the file address in the container's bundle: %s", strerror(error));
    }
    return true;
}

void bundle_release(const char *bundle) {
    char rootfs[PATH_MAX];
    int length = snprintf(rootfs, sizeof rootfs, "%s/rootfs", bundle);
    if (length < 0 || length >= (int)sizeof rootfs) {
        return;
    }
    // Mounts can be stacked. EINVAL: nothing is mounted there any more; ENOENT: there is no rootfs.
    for (int i = 0; i < MAX_STACKED_MOUNTS && umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++) {
    }
}

void bundle_put_killed(struct writer *writer) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint8_t bytes[32];
    struct writer timestamp = {.bytes = bytes, .capacity = sizeof bytes};
    put_number(&timestamp, 1, (uint64_t)now.tv_sec);
    put_number(&timestamp, 2, (uint64_t)now.tv_nsec);
    put_number(writer, 2, EXIT_KILLED);
    put_bytes(writer, 3, bytes, timestamp.length);
}
