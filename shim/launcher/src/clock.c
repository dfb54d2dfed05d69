#include "clock.h"

#include <limits.h>
#include <time.h>

moment moment_now(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (moment)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int milliseconds_until(moment deadline) {
    moment left = deadline - moment_now();
    if (left <= 0) {
        return 0;
    }
    return left > INT_MAX ? INT_MAX : (int)left;
}

void sleep_milliseconds(int milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1000000L};
    // A signal only shortens the pause; every caller loops against a deadline.
    (void)nanosleep(&pause, NULL);
}
