#include "runtime.h"

#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SHIM_END_MILLISECONDS = 1000,
    MAX_OPEN_DIRECTORIES = 16,
    CANNOT_EXECUTE = 127, // as a shell says it
};

// Ignored and blocked signals outlast execve(2).
static void reset_signals(void) {
    (void)signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int runtime_run(char *const arguments[]) {
    (void)umask(022);
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        ssize_t tolerated = write(score, "-999", 4);
        (void)tolerated;
        (void)close(score);
    }
    pid_t self = getpid();
    pid_t child = fork();
    if (child < 0) {
        (void)fprintf(stderr, "%s cannot be started: %s\n", arguments[0], strerror(errno));
        return CANNOT_EXECUTE;
    }
    if (child == 0) {
        // A caller that gives up kills this process' parent.
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (getppid() != self) {
            _exit(CANNOT_EXECUTE);
        }
        (void)setpgid(0, 0);
        reset_signals();
        (void)execv(arguments[0], arguments);
        (void)fprintf(stderr, "%s cannot be executed: %s\n", arguments[0], strerror(errno));
        _exit(CANNOT_EXECUTE);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return CANNOT_EXECUTE;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What the daemon left about the other shim in the file `relay`, a line each.
struct relay {
    char service[64];       // containerd.task.v2.Task
    char socket[PATH_MAX];  // where it listens
    char program[PATH_MAX]; // that was started
};

static bool bundle_of(const struct run_dir *directory, const char *namespace, const char *id,
                      char bundle[PATH_MAX]) {
    int length = snprintf(bundle, PATH_MAX, "%s/native/%s/%s", directory->path, namespace, id);
    return length > 0 && length < PATH_MAX && strchr(namespace, '/') == NULL && namespace[0] != '.' &&
           id[0] != '.';
}

bool runtime_has(const struct run_dir *directory, const char *namespace, const char *id) {
    char bundle[PATH_MAX];
    struct stat status;
    return bundle_of(directory, namespace, id, bundle) && lstat(bundle, &status) == 0 &&
           S_ISDIR(status.st_mode);
}

static bool read_line(FILE *file, char *line, int capacity) {
    if (fgets(line, capacity, file) == NULL) {
        return false;
    }
    size_t length = strcspn(line, "\n");
    bool whole = line[length] == '\n';
    line[length] = '\0';
    return whole && length > 0;
}

static bool read_relay(struct relay *relay) {
    FILE *file = fopen("relay", "re");
    if (file == NULL) {
        return false;
    }
    bool complete = read_line(file, relay->service, sizeof relay->service) &&
                    read_line(file, relay->socket, sizeof relay->socket) &&
                    read_line(file, relay->program, sizeof relay->program);
    (void)fclose(file);
    return complete;
}

static bool ends(int process, int signal, int milliseconds) {
    (void)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
    struct pollfd waiting = {.fd = process, .events = POLLIN};
    return poll(&waiting, 1, milliseconds) == 1;
}

// The other shim would go on for ever: nobody will call it any more. It tells its pid itself, so that no
// other process is taken for it.
static void end_shim(const struct relay *relay, const char *id, moment deadline) {
    static uint8_t bytes[MAX_MESSAGE];
    struct failure unreported;
    int connection;
    if (client_dial(relay->socket, deadline, &connection, &unreported) != DIALLED) {
        return;
    }
    uint8_t request_bytes[300];
    struct writer request = {.bytes = request_bytes, .capacity = sizeof request_bytes};
    put_text(&request, 1, id);
    struct response response;
    uint64_t pid = 0;
    if (client_call(connection, relay->service, "Connect", (struct span){request_bytes, request.length},
                    deadline, bytes, &response, &unreported) == CALL_ANSWERED &&
        response.code == 0 && find_number(response.payload, 1, &pid) && pid > 1 && pid <= INT_MAX) {
        int process = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
        // Opened while it was connected: it is the process that answered.
        if (process >= 0) {
            if (!ends(process, SIGTERM, SHIM_END_MILLISECONDS)) {
                (void)ends(process, SIGKILL, SHIM_END_MILLISECONDS);
                (void)unlink(relay->socket);
            }
            (void)close(process);
        }
    }
    (void)close(connection);
}

static size_t read_all(int fd, uint8_t *buffer, size_t capacity, moment deadline) {
    size_t length = 0;
    while (length < capacity) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (poll(&waiting, 1, milliseconds_until(deadline)) <= 0) {
            break;
        }
        ssize_t count = read(fd, buffer + length, capacity - length);
        if (count <= 0 && errno != EINTR) {
            break;
        }
        length += count > 0 ? (size_t)count : 0;
    }
    return length;
}

// Runs the other shim's own `delete`, which ends the container by force and unmounts its rootfs.
static size_t run_delete(const struct relay *relay, const struct flags *flags, const char *namespace,
                         const char *id, uint8_t *buffer, size_t capacity, moment deadline) {
    int output[2];
    if (pipe2(output, O_CLOEXEC) != 0) {
        return 0;
    }
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
            dup2(output[1], STDOUT_FILENO) < 0) {
            _exit(CANNOT_EXECUTE);
        }
        reset_signals();
        (void)execl(relay->program, relay->program, "-namespace", namespace, "-id", id, "-address",
                    flags->address, "delete", (char *)NULL);
        _exit(CANNOT_EXECUTE);
    }
    (void)close(output[1]);
    size_t length = child < 0 ? 0 : read_all(output[0], buffer, capacity, deadline);
    (void)close(output[0]);
    if (child > 0) {
        if (milliseconds_until(deadline) == 0) {
            (void)kill(child, SIGKILL);
        }
        int status;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            return 0;
        }
    }
    return length;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

bool runtime_release(const struct run_dir *directory, const struct flags *flags, const char *namespace,
                     const char *id, uint8_t *buffer, size_t capacity, struct span *response) {
    char bundle[PATH_MAX];
    struct relay relay;
    moment deadline = moment_now() + RUNTIME_MILLISECONDS;
    if (!bundle_of(directory, namespace, id, bundle) || chdir(bundle) != 0) {
        return false;
    }
    size_t length = 0;
    if (read_relay(&relay)) {
        end_shim(&relay, id, deadline);
        length = run_delete(&relay, flags, namespace, id, buffer, capacity, deadline);
    }
    // What is mounted stays, and with it the directory: never remove a container's files through a mount.
    if (rmdir("rootfs") == 0 || errno == ENOENT) {
        (void)nftw(bundle, remove_entry, MAX_OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
    *response = (struct span){buffer, length};
    return length > 0 && is_well_formed(*response);
}
