// Unit tests of the parts that know nothing of processes.
#include "flags.h"
#include "invocation.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        checks++;                                                                                            \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                    \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define PARSE(...)                                                                                           \
    parse((char *[]){"shim", __VA_ARGS__, NULL},                                                             \
          (int)(sizeof((char *[]){"shim", __VA_ARGS__}) / sizeof(char *)))

static struct flags flags;
static struct failure failure;

static bool parse(char *argv[], int argc) {
    return flags_parse(&flags, argc, argv, &failure);
}

static void flags_are_read_in_all_styles_of_go(void) {
    CHECK(PARSE("-namespace", "k8s.io", "--id", "c1", "-address=/run/c.sock", "--bundle=/b=c", "-debug",
                "start"));
    CHECK(strcmp(flags.namespace, "k8s.io") == 0);
    CHECK(strcmp(flags.id, "c1") == 0);
    CHECK(strcmp(flags.address, "/run/c.sock") == 0);
    CHECK(strcmp(flags.bundle, "/b=c") == 0);
    CHECK(flags.debug);
    CHECK(strcmp(flags.verb, "start") == 0);

    CHECK(PARSE("-debug=false", "-id", "-dashed", "--", "delete"));
    CHECK(!flags.debug);
    CHECK(strcmp(flags.id, "-dashed") == 0);
    CHECK(strcmp(flags.verb, "delete") == 0);

    CHECK(PARSE("-v") && flags.version);
    CHECK(PARSE("--version") && flags.version);
    CHECK(PARSE("-info") && flags.info && flags.verb[0] == '\0');
}

static void wrong_flags_are_explained(void) {
    CHECK(!PARSE("-id"));
    CHECK(strstr(failure.text, "-id needs a value") != NULL);
    CHECK(!PARSE("-debug=maybe", "start"));
    CHECK(strstr(failure.text, "found maybe") != NULL);
}

static void unknown_flags_are_skipped_with_their_value(void) {
    CHECK(PARSE("-future", "value", "-id", "c1", "start"));
    CHECK(strcmp(flags.id, "c1") == 0 && strcmp(flags.verb, "start") == 0);
    CHECK(PARSE("-future=value", "-id", "c1", "start") && strcmp(flags.verb, "start") == 0);
    CHECK(PARSE("-switch", "-id", "c1", "start") && strcmp(flags.id, "c1") == 0);
    CHECK(PARSE("-id", "c1", "-switch", "start") && strcmp(flags.verb, "start") == 0);
    CHECK(PARSE("-switch", "delete", "more") && strcmp(flags.verb, "delete") == 0);
}

static struct span of(struct writer *writer) {
    CHECK(!writer->full);
    return (struct span){writer->bytes, writer->length};
}

static void messages_are_read_as_written(void) {
    uint8_t bytes[256];
    struct writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    put_text(&writer, 1, "first");
    put_number(&writer, 300, UINT64_MAX);
    put_number(&writer, 5, 0);
    put_text(&writer, 1, "last");
    struct span text;
    uint64_t number;
    CHECK(find_bytes(of(&writer), 1, &text) && span_is(text, "last"));
    CHECK(find_number(of(&writer), 300, &number) && number == UINT64_MAX);
    CHECK(find_number(of(&writer), 5, &number) && number == 0);
    CHECK(find_bytes(of(&writer), 9, &text) && text.length == 0);
    CHECK(!find_number(of(&writer), 1, &number));
    CHECK(is_well_formed(of(&writer)));
}

// Recorded from Go's protobuf: Timestamp{seconds: 1, nanos: 2} in field 3 after exit status 137 in field 2.
static void bytes_are_those_of_other_implementations(void) {
    static const uint8_t expected[] = {0x10, 0x89, 0x01, 0x1a, 0x04, 0x08, 0x01, 0x10, 0x02};
    uint8_t bytes[32];
    uint8_t nested[32];
    struct writer timestamp = {.bytes = nested, .capacity = sizeof nested};
    put_number(&timestamp, 1, 1);
    put_number(&timestamp, 2, 2);
    struct writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    put_number(&writer, 2, 137);
    put_bytes(&writer, 3, nested, timestamp.length);
    CHECK(writer.length == sizeof expected && memcmp(bytes, expected, sizeof expected) == 0);

    uint8_t header[FRAME_HEADER_LENGTH];
    struct frame frame = {.length = 0x01020304, .stream = 1, .type = FRAME_REQUEST};
    frame_encode(&frame, header);
    CHECK(memcmp(header, "\1\2\3\4\0\0\0\1\1\0", sizeof header) == 0);
    CHECK(frame_decode(header).length == 0x01020304 && frame_decode(header).type == FRAME_REQUEST);
}

static void a_writer_never_leaves_its_buffer(void) {
    uint8_t bytes[9] = {0};
    struct writer writer = {.bytes = bytes, .capacity = 8};
    put_text(&writer, 1, "1234567");
    CHECK(writer.full && bytes[8] == 0);
    put_number(&writer, 1, 1);
    CHECK(writer.full);
}

static void malformed_messages_are_refused(void) {
    static const struct {
        const char *bytes;
        size_t length;
    } malformed[] = {
        {"\x0a", 1}, // length missing
        {"\x0a\x05"  // longer than the message
         "abc",
         5},
        {"\x08", 1},                                              // number missing
        {"\x08\xff", 2},                                          // varint cut off
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},     // more than 64 bits
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, // more than ten bytes
        {"\x00\x00", 2},                                          // field 0
        {"\x0b\x0c", 2},                                          // group
        {"\x09\x01\x02", 3},                                      // fixed64 cut off
        {"\x0d\x01\x02", 3},                                      // fixed32 cut off
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},     // length 2^64-1
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        CHECK(!is_well_formed((struct span){(const uint8_t *)malformed[i].bytes, malformed[i].length}));
    }
}

static void text_with_control_characters_is_refused(void) {
    char text[8];
    CHECK(span_to_text((struct span){(const uint8_t *)"1234567", 7}, text, sizeof text));
    CHECK(!span_to_text((struct span){(const uint8_t *)"12345678", 8}, text, sizeof text));
    CHECK(!span_to_text((struct span){(const uint8_t *)"a\nb", 3}, text, sizeof text));
    CHECK(!span_to_text((struct span){(const uint8_t *)"a\0b", 3}, text, sizeof text));
}

static void put_params(struct writer *writer, const char *id, const char *namespace) {
    put_text(writer, 1, id);
    put_text(writer, 2, namespace);
    put_number(writer, 3, (uint64_t)-4);
    put_text(writer, 4, "2.3.0");
    put_text(writer, 5, "/params.ttrpc");
    put_text(writer, 6, "/params.grpc");
}

static void bootstrap_params_go_before_flags_and_those_before_the_environment(void) {
    uint8_t bytes[256];
    struct writer params = {.bytes = bytes, .capacity = sizeof bytes};
    put_params(&params, "c1", "k8s.io");
    struct invocation invocation;
    CHECK(setenv("TTRPC_ADDRESS", "/environment.ttrpc", 1) == 0);
    CHECK(setenv("GRPC_ADDRESS", "/environment.grpc", 1) == 0);
    CHECK(setenv("NAMESPACE", "environment", 1) == 0);

    CHECK(PARSE("-id", "c1", "-namespace", "k8s.io", "-address", "/flag.grpc", "start"));
    CHECK(invocation_resolve(&invocation, &flags, of(&params), &failure));
    CHECK(strcmp(invocation.ttrpc_address, "/params.ttrpc") == 0);
    CHECK(strcmp(invocation.grpc_address, "/params.grpc") == 0);
    CHECK(invocation.debug);

    // Params of another container are options that happen to parse.
    CHECK(PARSE("-id", "c2", "-namespace", "k8s.io", "-address", "/flag.grpc", "start"));
    CHECK(invocation_resolve(&invocation, &flags, of(&params), &failure));
    CHECK(strcmp(invocation.id, "c2") == 0);
    CHECK(strcmp(invocation.ttrpc_address, "/environment.ttrpc") == 0);
    CHECK(strcmp(invocation.grpc_address, "/flag.grpc") == 0);
    CHECK(!invocation.debug);

    // A containerd without these flags.
    CHECK(PARSE("start"));
    CHECK(invocation_resolve(&invocation, &flags, of(&params), &failure));
    CHECK(strcmp(invocation.id, "c1") == 0 && strcmp(invocation.namespace, "k8s.io") == 0);

    CHECK(PARSE("-id", "c1", "start"));
    CHECK(invocation_resolve(&invocation, &flags, (struct span){bytes, 0}, &failure));
    CHECK(strcmp(invocation.namespace, "environment") == 0);
    CHECK(strcmp(invocation.grpc_address, "/environment.grpc") == 0);
}

static void options_are_ignored(void) {
    uint8_t bytes[256];
    struct writer any = {.bytes = bytes, .capacity = sizeof bytes};
    put_text(&any, 1, "runtimeoptions.v1.Options");
    put_text(&any, 2, "value");
    struct invocation invocation;
    CHECK(PARSE("-id", "c1", "-namespace", "k8s.io", "start"));
    CHECK(invocation_resolve(&invocation, &flags, of(&any), &failure));
    CHECK(strcmp(invocation.id, "c1") == 0);
    CHECK(PARSE("start"));
    CHECK(!invocation_resolve(&invocation, &flags, of(&any), &failure));
    CHECK(strstr(failure.text, "id is missing") != NULL);
}

static void hostile_identities_are_refused(void) {
    char long_id[300];
    memset(long_id, 'a', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct invocation invocation;
    CHECK(PARSE("-id", long_id, "-namespace", "k8s.io", "start"));
    CHECK(!invocation_resolve(&invocation, &flags, (struct span){(const uint8_t *)"", 0}, &failure));
    CHECK(PARSE("-id", "../x", "-namespace", "k8s.io", "start"));
    CHECK(!invocation_resolve(&invocation, &flags, (struct span){(const uint8_t *)"", 0}, &failure));
    CHECK(unsetenv("NAMESPACE") == 0);
    CHECK(PARSE("-id", "x", "start"));
    CHECK(!invocation_resolve(&invocation, &flags, (struct span){(const uint8_t *)"", 0}, &failure));
}

static void a_failure_is_one_line(void) {
    CHECK(!fail(&failure, "a\nb\tc%s", "\x1b[31m"));
    CHECK(strcmp(failure.text, "a b c [31m") == 0);
}

int main(void) {
    flags_are_read_in_all_styles_of_go();
    wrong_flags_are_explained();
    unknown_flags_are_skipped_with_their_value();
    messages_are_read_as_written();
    bytes_are_those_of_other_implementations();
    a_writer_never_leaves_its_buffer();
    malformed_messages_are_refused();
    text_with_control_characters_is_refused();
    bootstrap_params_go_before_flags_and_those_before_the_environment();
    options_are_ignored();
    hostile_identities_are_refused();
    a_failure_is_one_line();
    (void)printf("unit: %d checks passed\n", checks);
    return 0;
}
