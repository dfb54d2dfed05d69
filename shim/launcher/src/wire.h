#ifndef ATOLL_WIRE_H
#define ATOLL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As much of protobuf and ttrpc as one unary call needs. Nothing here allocates; all input is taken for
// hostile.

// ---- Writing. A writer that ran out of room stays `full`, and its content must not be used.

struct writer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
    bool full;
};

// A field with its default value is left out, as proto3 does.
void put_number(struct writer *writer, uint32_t field, uint64_t value);
void put_bytes(struct writer *writer, uint32_t field, const void *bytes, size_t length);
void put_text(struct writer *writer, uint32_t field, const char *text);

// ---- Reading.

struct span {
    const uint8_t *bytes;
    size_t length;
};

enum wire_type { WIRE_NUMBER = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;    // of WIRE_NUMBER, WIRE_FIXED64 and WIRE_FIXED32
    struct span bytes; // of WIRE_BYTES
};

enum reading { READ_FIELD, READ_END, READ_MALFORMED };

// Takes the next field off the front of the message.
enum reading next_field(struct span *message, struct field *field);

bool is_well_formed(struct span message);

// The last occurrence of a field counts, as in protobuf; absent fields are empty. False when malformed.
bool find_bytes(struct span message, uint32_t number, struct span *result);
bool find_number(struct span message, uint32_t number, uint64_t *result);

bool span_is(struct span span, const char *text);

// Copies the span as a C string. False when it does not fit or holds a NUL or a control character.
bool span_to_text(struct span span, char *text, size_t capacity);

// ---- ttrpc.

enum { FRAME_HEADER_LENGTH = 10 };
enum frame_type { FRAME_REQUEST = 1, FRAME_RESPONSE = 2 };

struct frame {
    uint32_t length;
    uint32_t stream;
    uint8_t type;
    uint8_t flags;
};

void frame_encode(const struct frame *frame, uint8_t header[FRAME_HEADER_LENGTH]);
struct frame frame_decode(const uint8_t header[FRAME_HEADER_LENGTH]);

// A ttrpc Request. False when the writer is full.
bool put_request(struct writer *writer, const char *service, const char *method, struct span payload,
                 int64_t timeout_nanos);

struct response {
    uint32_t code; // 0 is success
    struct span message;
    struct span payload;
};

// False when the bytes are no ttrpc Response.
bool read_response(struct span bytes, struct response *response);

#endif
