#include "namespaces.h"

#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    NOBODY = 65535,         // who pause images run as
    LIFE_LINE = 3,          // the first process writes here that it is there, and never again
    LAST_CAPABILITY = 63,   // more than the kernel has (linux/capability.h)
    FAILURE_PATH_MAX = 512, // of a file below /proc/sys
};

struct request {
    int flags; // of unshare(2)
    const char *hostname;
    const char *network;
    int sysctl_count;
    char *const *sysctls; // arguments, those that begin with --sysctl=
};

static const char *value_of(const char *argument, const char *name) {
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

static bool parse(struct request *request, int count, char *const arguments[], struct failure *failure) {
    *request = (struct request){.sysctl_count = count, .sysctls = arguments};
    for (int i = 0; i < count; i++) {
        const char *hostname = value_of(arguments[i], "--uts=");
        const char *network = value_of(arguments[i], "--network=");
        if (strcmp(arguments[i], "--ipc") == 0) {
            request->flags |= CLONE_NEWIPC;
        } else if (strcmp(arguments[i], "--pid") == 0) {
            request->flags |= CLONE_NEWPID;
        } else if (hostname != NULL) {
            request->flags |= CLONE_NEWUTS;
            request->hostname = hostname;
        } else if (network != NULL) {
            request->network = network;
        } else if (value_of(arguments[i], "--sysctl=") == NULL) {
            return fail(failure,
                        "unknown argument %s: expected --ipc, --uts=HOSTNAME, --pid, --network=PATH or "
                        "--sysctl=NAME=VALUE",
                        arguments[i]);
        }
    }
    return true;
}

// A name has only dots where a path has slashes; a name of a network device may have dots and is written with
// slashes, as sysctl(8) does.
static bool write_sysctl(const char *setting, struct failure *failure) {
    const char *equals = strchr(setting, '=');
    char path[FAILURE_PATH_MAX];
    if (equals == NULL || strstr(setting, "..") != NULL ||
        snprintf(path, sizeof path, "/proc/sys/%.*s", (int)(equals - setting), setting) >= (int)sizeof path) {
        return fail(failure, "sysctl %s is no NAME=VALUE", setting);
    }
    if (memchr(setting, '/', (size_t)(equals - setting)) == NULL) {
        for (char *c = path + strlen("/proc/sys/"); *c != '\0'; c++) {
            *c = *c == '.' ? '/' : *c;
        }
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t length = strlen(equals + 1);
    bool written = fd >= 0 && write(fd, equals + 1, length) == (ssize_t)length;
    int error = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return written || fail(failure, "sysctl %.*s of the pod cannot be set to %s: %s", (int)(equals - setting),
                           setting, equals + 1, strerror(error));
}

// SAFETY: this process has one thread, so it alone changes its namespaces.
static bool enter(const struct request *request, struct failure *failure) {
    if (request->network != NULL) {
        int network = open(request->network, O_RDONLY | O_CLOEXEC);
        if (network < 0 || setns(network, CLONE_NEWNET) != 0) {
            return fail(failure, "the pod's network namespace %s cannot be entered: %s", request->network,
                        strerror(errno));
        }
        (void)close(network);
    }
    if (unshare(request->flags) != 0) {
        return fail(failure, "namespaces for the pod's native containers cannot be made: %s",
                    strerror(errno));
    }
    if (request->hostname != NULL && sethostname(request->hostname, strlen(request->hostname)) != 0) {
        return fail(failure, "the pod's host name %s cannot be set: %s", request->hostname, strerror(errno));
    }
    for (int i = 0; i < request->sysctl_count; i++) {
        const char *sysctl = value_of(request->sysctls[i], "--sysctl=");
        if (sysctl != NULL && !write_sysctl(sysctl, failure)) {
            return false;
        }
    }
    return true;
}

// A copy of this program that nobody can write: containers that may trace see it as /proc/1/exe.
static int sealed_copy(void) {
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int copy = memfd_create(INIT_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct stat status;
    if (self < 0 || copy < 0 || fstat(self, &status) != 0) {
        return -1;
    }
    for (off_t rest = status.st_size; rest > 0;) {
        ssize_t count = sendfile(copy, self, NULL, (size_t)rest);
        if (count <= 0) {
            return -1;
        }
        rest -= count;
    }
    (void)close(self);
    return fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 ? copy
                                                                                                   : -1;
}

// An empty file system, without a way back: /proc/1/root of the pod leads nowhere.
static bool leave_files(void) {
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 "size=4k,nr_inodes=1,mode=0555") == 0 &&
           chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
           chdir("/") == 0 &&
           mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static bool leave_rights(void) {
    for (int capability = 0; capability <= LAST_CAPABILITY; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) {
            return false;
        }
    }
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
           setresuid(NOBODY, NOBODY, NOBODY) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// Containers of the pod find this process as their process 1, so it has nothing of the node: neither files,
// namespaces nor rights.
_Noreturn static void become_init(int program, int life_line) {
    // SAFETY: a fresh fork has one thread, so it alone changes its namespaces.
    if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0 ||
        !leave_files() || !leave_rights()) {
        _exit(EXIT_FAILURE);
    }
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    if (life_line != LIFE_LINE && dup2(life_line, LIFE_LINE) < 0) {
        _exit(EXIT_FAILURE);
    }
    static char name[] = INIT_NAME;
    char *arguments[] = {name, NULL};
    char *environment[] = {NULL};
    (void)syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    _exit(EXIT_FAILURE);
}

int namespaces_init_run(void) {
    sigset_t awaited;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    // Executed by its descriptor, it is called by that (execveat(2)).
    if (prctl(PR_SET_NAME, INIT_NAME, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || sigprocmask(SIG_BLOCK, &awaited, NULL) != 0 ||
        write(LIFE_LINE, "", 1) != 1) {
        return EXIT_FAILURE;
    }
    for (;;) {
        if (sigwaitinfo(&awaited, NULL) < 0 && errno != EINTR) {
            return EXIT_FAILURE;
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
    }
}

// Reads until the end of file; true if a byte came.
static bool drain(int fd) {
    char rest[64];
    bool any = false;
    for (;;) {
        ssize_t count = read(fd, rest, sizeof rest);
        if (count > 0) {
            any = true;
        } else if (count == 0 || errno != EINTR) {
            return any;
        }
    }
}

// Until nobody wants the namespaces any more, or there is no first process.
static void hold(int life_line) {
    struct pollfd waiting[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = life_line, .events = POLLIN}};
    for (;;) {
        int ready = poll(waiting, 2, -1);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready < 0 || waiting[1].revents != 0) {
            return;
        }
        if (waiting[0].revents != 0) {
            (void)drain(STDIN_FILENO);
            return;
        }
    }
}

static int complain(const struct failure *failure) {
    (void)printf("%s\n", failure->text);
    (void)fflush(stdout);
    return EXIT_FAILURE;
}

static bool tell_ready(void) {
    static const char ready[] = "ready\n";
    return write(STDOUT_FILENO, ready, sizeof ready - 1) == (ssize_t)sizeof ready - 1;
}

static int hold_with_init(struct failure *failure) {
    int program = sealed_copy();
    int life_line[2];
    if (program < 0 || pipe2(life_line, O_CLOEXEC) != 0) {
        (void)fail(failure, "the first process of the pod cannot be prepared: %s", strerror(errno));
        return complain(failure);
    }
    pid_t init = fork();
    if (init == 0) {
        (void)close(life_line[0]);
        // Moved away from where the life line goes, if it happens to be there.
        int moved = fcntl(program, F_DUPFD_CLOEXEC, LIFE_LINE + 1);
        int end = fcntl(life_line[1], F_DUPFD_CLOEXEC, LIFE_LINE + 1);
        if (moved < 0 || end < 0) {
            _exit(EXIT_FAILURE);
        }
        become_init(moved, end);
    }
    (void)close(life_line[1]);
    (void)close(program);
    char there;
    if (init < 0 || read(life_line[0], &there, 1) != 1) {
        (void)fail(failure, "the first process of the pod cannot be started: %s",
                   init < 0 ? strerror(errno) : "it ended at once");
        return complain(failure);
    }
    if (tell_ready()) {
        hold(life_line[0]);
    }
    (void)kill(init, SIGKILL);
    (void)waitpid(init, NULL, 0);
    return EXIT_SUCCESS;
}

int namespaces_run(int count, char *const arguments[]) {
    struct failure failure;
    struct request request;
    if (!parse(&request, count, arguments, &failure) || !enter(&request, &failure)) {
        return complain(&failure);
    }
    if ((request.flags & CLONE_NEWPID) != 0) {
        return hold_with_init(&failure);
    }
    if (tell_ready()) {
        (void)drain(STDIN_FILENO);
    }
    return EXIT_SUCCESS;
}
