#ifndef ATOLL_CLOCK_H
#define ATOLL_CLOCK_H

#include <stdint.h>

// A moment of the monotonic clock, in milliseconds.
typedef int64_t moment;

moment moment_now(void);

// Milliseconds until the deadline, 0 when it has passed: fit for poll(2).
int milliseconds_until(moment deadline);

void sleep_milliseconds(int milliseconds);

#endif
