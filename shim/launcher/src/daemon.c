#include "daemon.h"

#include "client.h"
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// The program lies beside the launcher's real path, or in ../bin of it.
static bool find_program(char program[PATH_MAX], struct failure *failure) {
    char launcher[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", launcher, sizeof launcher - 1);
    if (length < 0) {
        return fail(failure, "Atoll's daemon is not running, and cannot be started without /proc: %s",
                    strerror(errno));
    }
    launcher[length] = '\0';
    char *slash = strrchr(launcher, '/');
    int directory = slash == NULL ? 0 : (int)(slash - launcher);
    static const char *const places[] = {"atolld", "../bin/atolld"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int written = snprintf(program, PATH_MAX, "%.*s/%s", directory, launcher, places[i]);
        if (written > 0 && written < PATH_MAX && access(program, X_OK) == 0) {
            return true;
        }
    }
    return fail(
        failure,
        "Atoll's daemon is not running, and no program atolld lies beside %s or in ../bin of it: start the "
        "daemon, or link this launcher to where Atoll is installed instead of copying it",
        launcher);
}

// What the guardian has to say before it goes: nothing when the daemon answers.
static bool hear_guardian(int report, moment deadline, const struct run_dir *directory,
                          struct failure *failure) {
    char text[sizeof failure->text];
    size_t length = 0;
    for (;;) {
        struct pollfd waiting = {.fd = report, .events = POLLIN};
        int ready = poll(&waiting, 1, milliseconds_until(deadline));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready == 0) {
            return fail(failure, "Atoll's daemon was started but does not answer yet: see %s",
                        directory->log);
        }
        ssize_t count = ready < 0 ? -1 : read(report, text + length, sizeof text - 1 - length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        length += (size_t)count;
    }
    text[length] = '\0';
    return length == 0 || fail(failure, "%s", text);
}

static bool spawn(const struct run_dir *directory, const struct invocation *invocation, moment deadline,
                  int lock, struct failure *failure) {
    char program[PATH_MAX];
    int report[2];
    if (!find_program(program, failure)) {
        return false;
    }
    if (pipe2(report, O_CLOEXEC) != 0) {
        return fail(failure, "cannot start Atoll's daemon: %s", strerror(errno));
    }
    pid_t guardian = fork();
    if (guardian < 0) {
        fail(failure, "cannot start Atoll's daemon: %s", strerror(errno));
        (void)close(report[0]);
        (void)close(report[1]);
        return false;
    }
    if (guardian == 0) {
        guardian_run(directory, invocation, program, lock, report[1]);
    }
    (void)close(report[1]);
    bool heard = hear_guardian(report[0], deadline, directory, failure);
    (void)close(report[0]);
    return heard;
}

// With the lock held: nobody else is starting a daemon, but somebody may have done so just before.
static bool start(const struct run_dir *directory, const struct invocation *invocation, moment deadline,
                  int lock, int *connection, struct failure *failure) {
    enum dialling dialling = client_dial(directory->socket, deadline, connection, failure);
    if (dialling != DIALLED_NOBODY) {
        return dialling == DIALLED;
    }
    if (!spawn(directory, invocation, deadline, lock, failure)) {
        return false;
    }
    dialling = client_dial(directory->socket, deadline, connection, failure);
    if (dialling == DIALLED_NOBODY) {
        return fail(failure, "Atoll's daemon ended right after its start: see %s", directory->log);
    }
    return dialling == DIALLED;
}

bool daemon_connect(const struct run_dir *directory, const struct invocation *invocation, moment deadline,
                    int *connection, struct failure *failure) {
    enum dialling dialling = client_dial(directory->socket, deadline, connection, failure);
    if (dialling != DIALLED_NOBODY) {
        return dialling == DIALLED;
    }
    if (!run_dir_make(directory, failure)) {
        return false;
    }
    int lock = open(directory->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        return fail(failure, "cannot open Atoll's lock %s: %s", directory->lock, strerror(errno));
    }
    bool connected = false;
    for (;;) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
            connected = start(directory, invocation, deadline, lock, connection, failure);
            break;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            fail(failure, "cannot lock %s: %s", directory->lock, strerror(errno));
            break;
        }
        dialling = client_dial(directory->socket, deadline, connection, failure);
        if (dialling != DIALLED_NOBODY) {
            connected = dialling == DIALLED;
            break;
        }
        if (milliseconds_until(deadline) == 0) {
            fail(failure, "Atoll's daemon is being started but does not answer yet: see %s", directory->log);
            break;
        }
        sleep_milliseconds(2);
    }
    (void)close(lock);
    return connected;
}
