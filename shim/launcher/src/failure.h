#ifndef ATOLL_FAILURE_H
#define ATOLL_FAILURE_H

#include <stdbool.h>

// One sentence for the user: kubectl shows it verbatim, so the cause comes first.
struct failure {
    char text[1024];
};

// Fills in the sentence and returns false, so that a caller can `return fail(...)`.
// Control characters (the text may quote a daemon's log) become spaces: it stays one line.
__attribute__((format(printf, 2, 3))) bool fail(struct failure *failure, const char *format, ...);

#endif
