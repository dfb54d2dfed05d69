#include "client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool peer_is_trusted(int connection) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

enum dialling client_dial(const char *path, moment deadline, int *connection, struct failure *failure) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fail(failure,
             "the path of Atoll's socket is too long: %s has %zu bytes, at most %zu are possible; set "
             "ATOLL_RUN_DIR to a shorter path",
             path, strlen(path), sizeof address.sun_path - 1);
        return DIAL_FAILED;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        fail(failure, "cannot open a socket: %s", strerror(errno));
        return DIAL_FAILED;
    }
    while (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        // On a UNIX socket EAGAIN says that the listener's queue is full; poll(2) does not tell when it has
        // room.
        if ((error == EAGAIN || error == EINTR) && milliseconds_until(deadline) > 0) {
            sleep_milliseconds(2);
            continue;
        }
        (void)close(fd);
        if (error == ENOENT || error == ECONNREFUSED) {
            return DIALLED_NOBODY;
        }
        fail(failure, "cannot connect to Atoll's daemon at %s: %s", path,
             error == EAGAIN ? "it does not accept connections" : strerror(error));
        return DIAL_FAILED;
    }
    if (!peer_is_trusted(fd)) {
        (void)close(fd);
        fail(failure, "the socket %s is served by another user than root: it is not used", path);
        return DIAL_FAILED;
    }
    *connection = fd;
    return DIALLED;
}

enum transfer { TRANSFERRED, HUNG_UP, TIMED_OUT };

static enum transfer await(int connection, short events, moment deadline) {
    for (;;) {
        struct pollfd waiting = {.fd = connection, .events = events};
        int count = poll(&waiting, 1, milliseconds_until(deadline));
        if (count > 0) {
            return TRANSFERRED;
        }
        if (count == 0) {
            return TIMED_OUT;
        }
        if (errno != EINTR) {
            return HUNG_UP;
        }
    }
}

static enum transfer send_all(int connection, const uint8_t *bytes, size_t length, moment deadline) {
    while (length > 0) {
        ssize_t count = send(connection, bytes, length, MSG_NOSIGNAL);
        if (count >= 0) {
            bytes += count;
            length -= (size_t)count;
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            return HUNG_UP;
        }
        enum transfer ready = await(connection, POLLOUT, deadline);
        if (ready != TRANSFERRED) {
            return ready;
        }
    }
    return TRANSFERRED;
}

static enum transfer receive_all(int connection, uint8_t *bytes, size_t length, moment deadline) {
    while (length > 0) {
        enum transfer ready = await(connection, POLLIN, deadline);
        if (ready != TRANSFERRED) {
            return ready;
        }
        ssize_t count = recv(connection, bytes, length, 0);
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
            return HUNG_UP;
        }
    }
    return TRANSFERRED;
}

static enum calling lost(enum transfer transfer, const char *method, struct failure *failure) {
    if (transfer == TIMED_OUT) {
        fail(failure, "Atoll's daemon does not answer %s in time: it is running but stuck or overloaded",
             method);
        return CALL_FAILED;
    }
    fail(failure, "Atoll's daemon ended while it was asked to %s", method);
    return CALL_BROKEN;
}

enum calling client_call(int connection, const char *service, const char *method, struct span payload,
                         moment deadline, uint8_t buffer[MAX_MESSAGE], struct response *response,
                         struct failure *failure) {
    struct writer request = {.bytes = buffer + FRAME_HEADER_LENGTH,
                             .capacity = MAX_MESSAGE - FRAME_HEADER_LENGTH};
    int64_t timeout_nanos = (int64_t)milliseconds_until(deadline) * 1000000;
    if (!put_request(&request, service, method, payload, timeout_nanos)) {
        fail(failure, "the request to %s is longer than %d bytes", method, MAX_MESSAGE);
        return CALL_FAILED;
    }
    struct frame head = {.length = (uint32_t)request.length, .stream = 1, .type = FRAME_REQUEST};
    frame_encode(&head, buffer);
    enum transfer sent = send_all(connection, buffer, FRAME_HEADER_LENGTH + request.length, deadline);
    if (sent != TRANSFERRED) {
        return lost(sent, method, failure);
    }

    uint8_t header[FRAME_HEADER_LENGTH];
    enum transfer received = receive_all(connection, header, sizeof header, deadline);
    if (received != TRANSFERRED) {
        return lost(received, method, failure);
    }
    struct frame reply = frame_decode(header);
    if (reply.type != FRAME_RESPONSE || reply.stream != 1 || reply.length > MAX_MESSAGE) {
        fail(failure,
             "Atoll's daemon answered %s with an unexpected frame (type %u, stream %u, %u bytes): is another "
             "program listening on its socket?",
             method, reply.type, reply.stream, reply.length);
        return CALL_FAILED;
    }
    received = receive_all(connection, buffer, reply.length, deadline);
    if (received != TRANSFERRED) {
        return lost(received, method, failure);
    }
    if (!read_response((struct span){buffer, reply.length}, response)) {
        fail(failure, "Atoll's daemon answered %s with bytes that are no ttrpc response", method);
        return CALL_FAILED;
    }
    return CALL_ANSWERED;
}
