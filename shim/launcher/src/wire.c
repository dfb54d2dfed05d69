#include "wire.h"

#include <string.h>

enum { MAX_FIELD_NUMBER = 536870911 };

static void put_raw(struct writer *writer, const void *bytes, size_t length) {
    if (writer->full || length > writer->capacity - writer->length) {
        writer->full = true;
        return;
    }
    if (length > 0) {
        memcpy(writer->bytes + writer->length, bytes, length);
        writer->length += length;
    }
}

static void put_varint(struct writer *writer, uint64_t value) {
    uint8_t bytes[10];
    size_t length = 0;
    do {
        uint8_t low = value & 0x7f;
        value >>= 7;
        bytes[length++] = (uint8_t)(low | (value != 0 ? 0x80 : 0));
    } while (value != 0);
    put_raw(writer, bytes, length);
}

void put_number(struct writer *writer, uint32_t field, uint64_t value) {
    if (value != 0) {
        put_varint(writer, (uint64_t)field << 3 | WIRE_NUMBER);
        put_varint(writer, value);
    }
}

void put_bytes(struct writer *writer, uint32_t field, const void *bytes, size_t length) {
    if (length != 0) {
        put_varint(writer, (uint64_t)field << 3 | WIRE_BYTES);
        put_varint(writer, length);
        put_raw(writer, bytes, length);
    }
}

void put_text(struct writer *writer, uint32_t field, const char *text) {
    put_bytes(writer, field, text, strlen(text));
}

static bool take_varint(struct span *message, uint64_t *value) {
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70 && message->length > 0; shift += 7) {
        uint8_t byte = message->bytes[0];
        message->bytes++;
        message->length--;
        if (shift == 63 && byte > 1) {
            return false;
        }
        result |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *value = result;
            return true;
        }
    }
    return false;
}

static bool take(struct span *message, uint64_t length, struct span *result) {
    if (length > message->length) {
        return false;
    }
    *result = (struct span){message->bytes, (size_t)length};
    message->bytes += (size_t)length;
    message->length -= (size_t)length;
    return true;
}

static bool take_fixed(struct span *message, size_t length, uint64_t *value) {
    struct span bytes;
    if (!take(message, length, &bytes)) {
        return false;
    }
    *value = 0;
    for (size_t i = length; i > 0; i--) {
        *value = *value << 8 | bytes.bytes[i - 1];
    }
    return true;
}

enum reading next_field(struct span *message, struct field *field) {
    *field = (struct field){0};
    if (message->length == 0) {
        return READ_END;
    }
    uint64_t tag;
    if (!take_varint(message, &tag) || tag >> 3 == 0 || tag >> 3 > MAX_FIELD_NUMBER) {
        return READ_MALFORMED;
    }
    field->number = (uint32_t)(tag >> 3);
    uint64_t length;
    bool taken;
    switch (tag & 7) {
    case WIRE_NUMBER:
        field->type = WIRE_NUMBER;
        taken = take_varint(message, &field->value);
        break;
    case WIRE_FIXED64:
        field->type = WIRE_FIXED64;
        taken = take_fixed(message, 8, &field->value);
        break;
    case WIRE_BYTES:
        field->type = WIRE_BYTES;
        taken = take_varint(message, &length) && take(message, length, &field->bytes);
        break;
    case WIRE_FIXED32:
        field->type = WIRE_FIXED32;
        taken = take_fixed(message, 4, &field->value);
        break;
    default: // Groups are long gone from protobuf.
        taken = false;
    }
    return taken ? READ_FIELD : READ_MALFORMED;
}

bool is_well_formed(struct span message) {
    struct field field;
    enum reading reading;
    do {
        reading = next_field(&message, &field);
    } while (reading == READ_FIELD);
    return reading == READ_END;
}

static bool find(struct span message, uint32_t number, enum wire_type type, struct field *result) {
    *result = (struct field){0};
    struct field field;
    enum reading reading;
    while ((reading = next_field(&message, &field)) == READ_FIELD) {
        if (field.number == number) {
            if (field.type != type) {
                return false;
            }
            *result = field;
        }
    }
    return reading == READ_END;
}

bool find_bytes(struct span message, uint32_t number, struct span *result) {
    struct field field;
    bool found = find(message, number, WIRE_BYTES, &field);
    *result = field.bytes;
    return found;
}

bool find_number(struct span message, uint32_t number, uint64_t *result) {
    struct field field;
    bool found = find(message, number, WIRE_NUMBER, &field);
    *result = field.value;
    return found;
}

bool span_is(struct span span, const char *text) {
    size_t length = strlen(text);
    return span.length == length && (length == 0 || memcmp(span.bytes, text, length) == 0);
}

bool span_to_text(struct span span, char *text, size_t capacity) {
    if (span.length >= capacity) {
        return false;
    }
    for (size_t i = 0; i < span.length; i++) {
        if (span.bytes[i] < ' ' || span.bytes[i] == 0x7f) {
            return false;
        }
        text[i] = (char)span.bytes[i];
    }
    text[span.length] = '\0';
    return true;
}

static void put_big_endian(uint8_t *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void frame_encode(const struct frame *frame, uint8_t header[FRAME_HEADER_LENGTH]) {
    put_big_endian(header, frame->length);
    put_big_endian(header + 4, frame->stream);
    header[8] = frame->type;
    header[9] = frame->flags;
}

struct frame frame_decode(const uint8_t header[FRAME_HEADER_LENGTH]) {
    return (struct frame){big_endian(header), big_endian(header + 4), header[8], header[9]};
}

bool put_request(struct writer *writer, const char *service, const char *method, struct span payload,
                 int64_t timeout_nanos) {
    put_text(writer, 1, service);
    put_text(writer, 2, method);
    put_bytes(writer, 3, payload.bytes, payload.length);
    put_number(writer, 4, (uint64_t)timeout_nanos);
    return !writer->full;
}

bool read_response(struct span bytes, struct response *response) {
    *response = (struct response){0};
    struct span status;
    uint64_t code;
    if (!find_bytes(bytes, 1, &status) || !find_bytes(bytes, 2, &response->payload) ||
        !find_number(status, 1, &code) || !find_bytes(status, 2, &response->message) || code > UINT32_MAX) {
        return false;
    }
    response->code = (uint32_t)code;
    return true;
}
