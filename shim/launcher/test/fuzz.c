// Feeds the decoders mutated and random bytes, under the sanitizers. Deterministic: the seed is the first
// argument. Each input lies at the end of its own allocation, so that the smallest overrun is seen.
#include "flags.h"
#include "invocation.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 300000, MAX_LENGTH = 200 };

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t make_valid(uint8_t bytes[MAX_LENGTH]) {
    uint8_t nested[64];
    struct writer status = {.bytes = nested, .capacity = sizeof nested};
    put_number(&status, 1, next() % 17);
    put_text(&status, 2, "the node is being drained");
    struct writer reply = {.bytes = bytes, .capacity = MAX_LENGTH};
    put_bytes(&reply, 1, nested, status.length);
    put_text(&reply, 2, "unix:///run/atoll/ttrpc.sock");
    put_number(&reply, 3, next());
    put_text(&reply, 5, "/run/containerd/containerd.sock.ttrpc");
    return reply.length;
}

static size_t make_input(uint8_t bytes[MAX_LENGTH]) {
    size_t length = next() % 4 == 0 ? next() % MAX_LENGTH : make_valid(bytes);
    if (next() % 4 == 0) {
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)next();
        }
    }
    for (uint64_t mutations = next() % 4; mutations > 0 && length > 0; mutations--) {
        bytes[next() % length] = (uint8_t)(next() % 3 == 0 ? 0xff : next());
    }
    return length > 0 && next() % 3 == 0 ? next() % length : length;
}

static void check_inside(struct span whole, struct span part) {
    if (part.length > 0 &&
        (part.bytes < whole.bytes || part.bytes + part.length > whole.bytes + whole.length)) {
        (void)fprintf(stderr, "a span leaves its message\n");
        abort();
    }
}

int main(int argc, char *argv[]) {
    state = argc > 1 ? strtoull(argv[1], NULL, 10) | 1 : 0x9e3779b97f4a7c15;
    static uint8_t scratch[MAX_LENGTH];
    char *arguments[] = {"shim", "start", NULL};
    struct flags flags;
    struct failure failure;
    (void)flags_parse(&flags, 2, arguments, &failure);
    unsigned well_formed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t length = make_input(scratch);
        uint8_t *bytes = malloc(length > 0 ? length : 1);
        memcpy(bytes, scratch, length);
        struct span input = {bytes, length};

        well_formed += is_well_formed(input);
        struct response response;
        if (read_response(input, &response)) {
            check_inside(input, response.message);
            check_inside(input, response.payload);
            char text[32];
            (void)span_to_text(response.payload, text, sizeof text);
        }
        struct invocation invocation;
        (void)invocation_resolve(&invocation, &flags, input, &failure);
        if (length >= FRAME_HEADER_LENGTH) {
            struct frame frame = frame_decode(bytes);
            uint8_t header[FRAME_HEADER_LENGTH];
            frame_encode(&frame, header);
            if (memcmp(header, bytes, sizeof header) != 0) {
                abort();
            }
        }
        free(bytes);
    }
    (void)printf("fuzz: %d inputs, %u of them well formed\n", ROUNDS, well_formed);
    return 0;
}
