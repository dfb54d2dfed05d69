#ifndef ATOLL_CLIENT_H
#define ATOLL_CLIENT_H

#include "clock.h"
#include "failure.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

enum { MAX_MESSAGE = 64 * 1024 };

enum dialling { DIALLED, DIALLED_NOBODY, DIAL_FAILED };

// Connects to the daemon's socket. Nobody: there is no socket, or nothing listens on it.
// A socket that belongs to another user than root or us is a failure.
enum dialling client_dial(const char *path, moment deadline, int *connection, struct failure *failure);

enum calling {
    CALL_ANSWERED,
    CALL_BROKEN, // the daemon hung up before it answered
    CALL_FAILED,
};

// What the daemon serves to launchers.
#define LAUNCHER_SERVICE "atoll.v1.Launcher"

// One unary ttrpc call. The response points into the buffer.
enum calling client_call(int connection, const char *service, const char *method, struct span payload,
                         moment deadline, uint8_t buffer[MAX_MESSAGE], struct response *response,
                         struct failure *failure);

#endif
