// Calls libatoll_engine.so as the daemon does: compiles a program, runs one function of it that writes and
// exits, and one that a trap stops, which takes the processor's signals. Its files are below /tmp/engine.
#include "atoll_engine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] =
    "(module\n"
    "  (type $write (func (param i32 i32 i32 i32) (result i32)))\n"
    "  (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (type $write)))\n"
    "  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))\n"
    "  (memory (export \"memory\") 1)\n"
    "  (data (i32.const 0) \"\\10\\00\\00\\00\\05\\00\\00\\00\")\n"
    "  (data (i32.const 16) \"hello\")\n"
    "  (func (export \"_start\")\n"
    "    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))\n"
    "    (call $exit (i32.const 7)))\n"
    "  (func (export \"outside\") (drop (i32.load (i32.const 0x7fffffff)))))\n";

enum { WAIT_SECONDS = 300 };

struct event {
    uint64_t id;
    uint32_t kind;
    int32_t code;
    uint64_t numbers[6];
};

typedef ATOLL_FUNCTION(function);

static uint8_t out[64 << 10];

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("caller: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

static int64_t call(const char *name, function *f, int64_t a, int64_t b, const char *in) {
    int64_t result = f(a, b, (const uint8_t *)in, (int64_t)strlen(in), out, (int64_t)sizeof out);
    if (result < 0) {
        fail("%s: %" PRId64 ": %s", name, result, (const char *)out);
    }
    return result;
}
#define CALL(name, a, b, in) call(#name, name, a, b, in)

// The next event, which has to be of `id`, as here only one thing happens at a time.
static struct event await_event(int64_t engine, int64_t id) {
    if (CALL(atoll_poll, engine, WAIT_SECONDS * INT64_C(1000), "") == 0) {
        fail("no event of %" PRId64 " in %d s", id, WAIT_SECONDS);
    }
    struct event event;
    memcpy(&event, out, sizeof event);
    if (event.id != (uint64_t)id) {
        fail("an event of %" PRIu64 " instead of %" PRId64, event.id, id);
    }
    return event;
}

static struct event run(int64_t engine, int64_t module, const char *request) {
    int64_t guest = CALL(atoll_guest_new, engine, module, request);
    CALL(atoll_guest_start, guest, 0, "");
    struct event event = await_event(engine, guest);
    CALL(atoll_guest_drop, guest, 0, "");
    return event;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        fail("cannot write %s", path);
    }
}

int main(void) {
    write_file("/tmp/engine/program.wat", program);
    write_file("/tmp/engine/output", "");

    int64_t abi = CALL(atoll_abi, 0, 0, "");
    if (abi != ATOLL_ABI) {
        fail("ABI %" PRId64 " instead of %d", abi, ATOLL_ABI);
    }
    int64_t engine = CALL(atoll_engine_new, 0, 0, "{\"maxGuests\": 2}");
    int64_t module = CALL(atoll_module_load, engine, 0,
                          "{\"name\": \"program.wat\", \"source\": \"/tmp/engine/program.wat\","
                          " \"output\": \"/tmp/engine/program.cwasm\"}");
    struct event loaded = await_event(engine, module);
    if (loaded.kind != ATOLL_EVENT_MODULE || loaded.code != 0) {
        CALL(atoll_module_info, module, 0, "");
        fail("compiling failed: %s", (const char *)out);
    }
    struct event exited = run(engine, module,
                              "{\"name\": \"caller\", \"args\": [\"program\"],"
                              " \"stdout\": \"/tmp/engine/output\"}");
    if (exited.kind != ATOLL_EVENT_EXITED || exited.code != 7) {
        fail("event %" PRIu32 " with code %" PRId32 " instead of an exit with 7", exited.kind, exited.code);
    }
    FILE *file = fopen("/tmp/engine/output", "r");
    char written[16] = "";
    if (file == NULL || fgets(written, sizeof written, file) == NULL || fclose(file) != 0 ||
        strcmp(written, "hello") != 0) {
        fail("the guest wrote '%s' instead of 'hello'", written);
    }
    struct event trapped = run(engine, module, "{\"name\": \"caller\", \"export\": \"outside\"}");
    if (trapped.kind != ATOLL_EVENT_TRAPPED) {
        fail("event %" PRIu32 " instead of a trap", trapped.kind);
    }
    CALL(atoll_engine_describe, engine, 0, "");
    (void)printf("engine: %s\n", (const char *)out);
    CALL(atoll_engine_close, engine, 0, "");
    return EXIT_SUCCESS;
}
