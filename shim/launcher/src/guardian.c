#include "guardian.h"

#include "client.h"
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
    GUARD_MILLISECONDS = 60 * 1000,
    MAX_LOG = 1024 * 1024, // a longer log is put aside when a daemon starts
    MAX_ENVIRONMENT = 64,
};

_Noreturn static void leave(int report, const struct failure *failure) {
    // At most PIPE_BUF bytes: written whole or, when the launcher is gone, not at all.
    ssize_t written = write(report, failure->text, strlen(failure->text));
    _exit(written < 0 ? 2 : 1);
}

static void close_range_of(unsigned first, unsigned last) {
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) {
        return;
    }
    // Linux before 5.9.
    long limit = sysconf(_SC_OPEN_MAX);
    for (unsigned fd = first; fd <= last && (long)fd < limit; fd++) {
        (void)close((int)fd);
    }
}

static void close_all_but(int one, int other) {
    unsigned low = (unsigned)(one < other ? one : other);
    unsigned high = (unsigned)(one < other ? other : one);
    close_range_of(3, low - 1);
    close_range_of(low + 1, high - 1);
    close_range_of(high + 1, ~0U);
}

// containerd runs launchers with oom_score_adj -999; a process that hosts tenants must not be spared like
// that. Not every kernel or sandbox lets the value be written, and the daemon runs without.
static void become_ordinary_oom_victim(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t tolerated = write(fd, "0", 1);
        (void)tolerated;
        (void)close(fd);
    }
}

static void reset_signals(void) {
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        struct sigaction standard = {.sa_handler = SIG_DFL};
        (void)sigaction(signal_number, &standard, NULL); // EINVAL for those that cannot be set
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

// containerd's environment holds what must not reach a JVM or another daemon: JAVA_TOOL_OPTIONS,
// NOTIFY_SOCKET, LISTEN_FDS, proxies.
static void scrub_environment(char *scrubbed[MAX_ENVIRONMENT + 1]) {
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static const char *const kept[] = {"PATH=", "HOME=", "LANG=", "ATOLL_"};
    size_t count = 0;
    bool has_path = false;
    for (char **variable = environ; *variable != NULL && count < MAX_ENVIRONMENT - 1; variable++) {
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
            if (strncmp(*variable, kept[i], strlen(kept[i])) == 0) {
                scrubbed[count++] = *variable;
                has_path = has_path || i == 0;
                break;
            }
        }
    }
    if (!has_path) {
        scrubbed[count++] = path;
    }
    scrubbed[count] = NULL;
}

_Noreturn static void become_daemon(const struct run_dir *directory, const struct invocation *invocation,
                                    const char *program, int log) {
    reset_signals();
    become_ordinary_oom_victim();
    if (dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(127);
    }
    close_range_of(3, ~0U);

    const char *arguments[8] = {program, "--run-dir", directory->path};
    size_t count = 3;
    if (invocation->grpc_address[0] != '\0') {
        arguments[count++] = "--containerd";
        arguments[count++] = invocation->grpc_address;
    }
    if (invocation->ttrpc_address[0] != '\0') {
        arguments[count++] = "--containerd-ttrpc";
        arguments[count++] = invocation->ttrpc_address;
    }
    arguments[count] = NULL;
    char *scrubbed[MAX_ENVIRONMENT + 1];
    scrub_environment(scrubbed);
    (void)execve(program, (char *const *)arguments, scrubbed);
    // This goes to the log, where the guardian finds it.
    (void)fprintf(stderr, "cannot execute %s: %s\n", program, strerror(errno));
    _exit(127);
}

static int open_log(const struct run_dir *directory) {
    struct stat status;
    if (lstat(directory->log, &status) == 0 && status.st_size > MAX_LOG) {
        (void)rename(directory->log, directory->old_log); // otherwise the log only grows on
    }
    return open(directory->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

// The last line that is not empty of what the log got since `start`.
static void last_line(const char *path, off_t start, char *line, size_t capacity) {
    line[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return;
    }
    off_t room = (off_t)capacity - 1;
    off_t from = status.st_size - start > room ? status.st_size - room : start;
    ssize_t count = pread(fd, line, capacity - 1, from);
    (void)close(fd);
    size_t length = count > 0 ? (size_t)count : 0;
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == ' ')) {
        length--;
    }
    line[length] = '\0';
    char *newline = strrchr(line, '\n');
    if (newline != NULL) {
        memmove(line, newline + 1, strlen(newline + 1) + 1);
    }
}

static bool watch(const struct run_dir *directory, pid_t daemon, off_t log_start, struct failure *failure) {
    moment deadline = moment_now() + GUARD_MILLISECONDS;
    while (milliseconds_until(deadline) > 0) {
        int connection;
        int status;
        if (client_dial(directory->socket, deadline, &connection, failure) == DIALLED) {
            (void)close(connection);
            return true;
        }
        if (waitpid(daemon, &status, WNOHANG) == daemon) {
            char line[512];
            last_line(directory->log, log_start, line, sizeof line);
            bool exited = WIFEXITED(status);
            return fail(failure, "Atoll's daemon could not start (%s %d): %s; see %s",
                        exited ? "exit status" : "ended by signal",
                        exited ? WEXITSTATUS(status) : WTERMSIG(status),
                        line[0] != '\0' ? line : "it wrote nothing", directory->log);
        }
        sleep_milliseconds(2);
    }
    (void)kill(daemon, SIGKILL);
    (void)waitpid(daemon, NULL, 0);
    return fail(failure, "Atoll's daemon did not answer within a minute of its start and was ended: see %s",
                directory->log);
}

_Noreturn void guardian_run(const struct run_dir *directory, const struct invocation *invocation,
                            const char *program, int lock, int report) {
    struct failure failure = {""};
    // First of all: containerd waits until nobody holds the launcher's output any more.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0) {
        (void)fail(&failure, "cannot start Atoll's daemon: /dev/null: %s", strerror(errno));
        leave(report, &failure);
    }
    close_all_but(lock, report);
    // SIGPIPE: the launcher may be gone before it is reported to.
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || setsid() < 0 || chdir("/") != 0) {
        (void)fail(&failure, "cannot start Atoll's daemon: %s", strerror(errno));
        leave(report, &failure);
    }
    (void)umask(077);
    int log = open_log(directory);
    struct stat status;
    if (log < 0 || fstat(log, &status) != 0) {
        (void)fail(&failure, "cannot open the log of Atoll's daemon %s: %s", directory->log, strerror(errno));
        leave(report, &failure);
    }
    pid_t daemon = fork();
    if (daemon < 0) {
        (void)fail(&failure, "cannot start Atoll's daemon: %s", strerror(errno));
        leave(report, &failure);
    }
    if (daemon == 0) {
        become_daemon(directory, invocation, program, log);
    }
    if (!watch(directory, daemon, status.st_size, &failure)) {
        leave(report, &failure);
    }
    _exit(0);
}
