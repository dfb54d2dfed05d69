// bench COUNT PROGRAM [ARGUMENT...]: time from spawning the program to its end, p50 and p95 in microseconds.
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char *argv[]) {
    int count = argc > 2 ? atoi(argv[1]) : 0;
    if (count < 1) {
        return 2;
    }
    int64_t *took = calloc((size_t)count, sizeof *took);
    for (int i = 0; i < count; i++) {
        pid_t child;
        int status;
        int64_t before = now();
        if (posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
            waitpid(child, &status, 0) != child || status != 0) {
            return 1;
        }
        took[i] = now() - before;
    }
    qsort(took, (size_t)count, sizeof *took, compare);
    (void)fprintf(stderr, "p50 %lld us, p95 %lld us\n", (long long)took[count / 2],
                  (long long)took[count * 95 / 100]);
    free(took);
    return 0;
}
