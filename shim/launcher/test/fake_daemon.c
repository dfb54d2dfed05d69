// A stand-in for atolld: writes down how it was started and asked, and answers as ATOLL_FAKE says.
#include "wire.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

static char run_dir[256];
static const char *mode;

static FILE *open_record(const char *name) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", run_dir, name);
    FILE *file = fopen(path, "a");
    if (file == NULL) {
        exit(99);
    }
    return file;
}

static void record_start(int argc, char *argv[]) {
    FILE *starts = open_record("starts");
    (void)fprintf(starts, "%d\n", getpid());
    (void)fclose(starts);

    int descriptors = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        descriptors += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    descriptors--; // the directory itself

    FILE *facts = open_record("facts");
    for (int i = 1; i < argc; i++) {
        (void)fprintf(facts, "argument %s\n", argv[i]);
    }
    for (char **variable = environ; *variable != NULL; variable++) {
        (void)fprintf(facts, "environment %s\n", *variable);
    }
    char cwd[256];
    mode_t mask = umask(077);
    sigset_t blocked;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    struct sigaction pipe_action;
    (void)sigaction(SIGPIPE, NULL, &pipe_action);
    char target[256] = "";
    ssize_t length = readlink("/proc/self/fd/0", target, sizeof target - 1);
    (void)fprintf(facts,
                  "descriptors %d\ncwd %s\numask %03o\nsession %s\nblocked %d\nsigpipe %s\nstdin %.*s\n",
                  descriptors, getcwd(cwd, sizeof cwd), (unsigned)mask,
                  getsid(0) == getppid() ? "own" : "foreign", sigismember(&blocked, SIGUSR1),
                  pipe_action.sa_handler == SIG_DFL ? "default" : "changed", (int)length, target);
    (void)fclose(facts);
}

static bool receive(int connection, uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t count = recv(connection, bytes, length, 0);
        if (count <= 0) {
            return false;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static void send_frame(int connection, struct writer *message) {
    uint8_t header[FRAME_HEADER_LENGTH];
    struct frame frame = {.length = (uint32_t)message->length, .stream = 1, .type = FRAME_RESPONSE};
    frame_encode(&frame, header);
    (void)send(connection, header, sizeof header, MSG_NOSIGNAL | MSG_MORE);
    (void)send(connection, message->bytes, message->length, MSG_NOSIGNAL);
}

static void record_request(struct span method, struct span payload) {
    FILE *requests = open_record("requests");
    (void)fprintf(requests, "%.*s", (int)method.length, (const char *)method.bytes);
    struct field field;
    while (next_field(&payload, &field) == READ_FIELD) {
        if (field.type == WIRE_BYTES) {
            (void)fprintf(requests, " %u=%.*s", field.number, (int)field.bytes.length,
                          (const char *)field.bytes.bytes);
        } else {
            (void)fprintf(requests, " %u=%llu", field.number, (unsigned long long)field.value);
        }
    }
    (void)fprintf(requests, "\n");
    (void)fclose(requests);
}

static void answer(int connection, struct span method) {
    uint8_t nested[1024];
    uint8_t bytes[2048];
    struct writer payload = {.bytes = nested, .capacity = sizeof nested};
    struct writer reply = {.bytes = bytes, .capacity = sizeof bytes};
    if (strcmp(mode, "refuse") == 0) {
        put_number(&payload, 1, 9);
        put_text(&payload, 2, "the node is being drained:\nno container starts here");
        put_bytes(&reply, 1, nested, payload.length);
    } else if (span_is(method, "Start")) {
        char address[512];
        (void)snprintf(address, sizeof address, "unix://%s/ttrpc.sock", run_dir);
        put_text(&payload, 1, strcmp(mode, "badaddress") == 0 ? "unix:///x\nvsock://3:1" : address);
        put_bytes(&reply, 2, nested, payload.length);
    } else {
        put_number(&payload, 1, 42);
        put_number(&payload, 2, 7);
        put_bytes(&payload, 3, "\x08\x05", 2);
        put_bytes(&reply, 2, nested, payload.length);
    }
    send_frame(connection, &reply);
}

static void serve(int connection) {
    static uint8_t bytes[65536];
    uint8_t header[FRAME_HEADER_LENGTH];
    if (!receive(connection, header, sizeof header)) {
        return;
    }
    struct frame frame = frame_decode(header);
    struct span method;
    struct span payload;
    if (frame.length > sizeof bytes || !receive(connection, bytes, frame.length) ||
        !find_bytes((struct span){bytes, frame.length}, 2, &method) ||
        !find_bytes((struct span){bytes, frame.length}, 3, &payload)) {
        return;
    }
    record_request(method, payload);
    static const uint8_t garbage[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0xff};
    static const uint8_t malformed[14] = {0, 0, 0, 4, 0, 0, 0, 1, 2, 0, 0xff, 0xff, 0xff, 0xff};
    if (strcmp(mode, "garbage") == 0) {
        (void)send(connection, garbage, sizeof garbage, MSG_NOSIGNAL);
    } else if (strcmp(mode, "malformed") == 0) {
        (void)send(connection, malformed, sizeof malformed, MSG_NOSIGNAL);
    } else if (strcmp(mode, "mute") == 0) {
        (void)recv(connection, header, 1, 0); // until the launcher gives up
    } else if (strcmp(mode, "hangup") != 0) {
        answer(connection, method);
    }
}

int main(int argc, char *argv[]) {
    mode = getenv("ATOLL_FAKE") != NULL ? getenv("ATOLL_FAKE") : "";
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--run-dir") == 0) {
            (void)snprintf(run_dir, sizeof run_dir, "%s", argv[i + 1]);
        }
    }
    (void)alarm(120); // nothing is left behind, whatever happens to the test
    record_start(argc, argv);
    if (strcmp(mode, "fail") == 0) {
        (void)fprintf(stderr, "starting\nCannot load the engine: libatoll_engine.so is missing\n\n");
        return 3;
    }
    if (strcmp(mode, "crash") == 0) {
        (void)raise(SIGKILL);
    }
    if (strcmp(mode, "slow") == 0) {
        (void)usleep(300 * 1000);
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.90s/ttrpc.sock", run_dir);
    (void)unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) {
        return 98;
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) {
            serve(connection);
            (void)close(connection);
        }
    }
}
