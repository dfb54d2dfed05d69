#include "rundir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool run_dir_locate(struct run_dir *directory, struct failure *failure) {
    const char *path = getenv("ATOLL_RUN_DIR");
    if (path == NULL || path[0] == '\0') {
        path = "/run/atoll";
    }
    if (path[0] != '/' || strlen(path) >= MAX_RUN_DIR) {
        return fail(failure, "ATOLL_RUN_DIR must be an absolute path of less than %d bytes, found %s",
                    MAX_RUN_DIR, path);
    }
    (void)snprintf(directory->path, sizeof directory->path, "%s", path);
    (void)snprintf(directory->socket, sizeof directory->socket, "%s/ttrpc.sock", path);
    (void)snprintf(directory->lock, sizeof directory->lock, "%s/launcher.lock", path);
    (void)snprintf(directory->log, sizeof directory->log, "%s/atolld.log", path);
    (void)snprintf(directory->old_log, sizeof directory->old_log, "%s/atolld.log.1", path);
    return true;
}

bool run_dir_make(const struct run_dir *directory, struct failure *failure) {
    if (mkdir(directory->path, 0700) != 0 && errno != EEXIST) {
        return fail(failure, "cannot make Atoll's run directory %s: %s", directory->path, strerror(errno));
    }
    struct stat status;
    if (lstat(directory->path, &status) != 0) {
        return fail(failure, "cannot look at Atoll's run directory %s: %s", directory->path, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return fail(failure, "Atoll's run directory %s is no directory", directory->path);
    }
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(
            failure,
            "Atoll's run directory %s belongs to user %u with mode %03o: only user %u may own and write it",
            directory->path, status.st_uid, status.st_mode & 0777u, geteuid());
    }
    return true;
}
