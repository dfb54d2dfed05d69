#include "flags.h"

#include <stddef.h>
#include <string.h>

struct text_flag {
    const char *name;
    const char **value;
};

struct switch_flag {
    const char *name;
    bool *value;
};

static bool is_verb(const char *argument) {
    return strcmp(argument, "start") == 0 || strcmp(argument, "delete") == 0;
}

static bool is_name(const char *name, size_t length, const char *expected) {
    return strlen(expected) == length && memcmp(name, expected, length) == 0;
}

// Go accepts 1, 0, t, f, true, false in a few spellings of case.
static bool parse_switch(const char *value, bool *result) {
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(value, yes[i]) == 0) {
            *result = true;
            return true;
        }
        if (strcmp(value, no[i]) == 0) {
            *result = false;
            return true;
        }
    }
    return false;
}

bool flags_parse(struct flags *flags, int argc, char *const argv[], struct failure *failure) {
    *flags = (struct flags){
        .namespace = "", .address = "", .publish_binary = "", .id = "", .bundle = "", .verb = ""};
    const char *ignored = "";
    const struct text_flag texts[] = {
        {"namespace", &flags->namespace},
        {"address", &flags->address},
        {"publish-binary", &flags->publish_binary},
        {"id", &flags->id},
        {"bundle", &flags->bundle},
        {"socket", &ignored},
        {"debug-socket", &ignored},
    };
    const struct switch_flag switches[] = {
        {"debug", &flags->debug},
        {"v", &flags->version},
        {"version", &flags->version},
        {"info", &flags->info},
    };

    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (argument[0] != '-' || argument[1] == '\0') {
            flags->verb = argument;
            return true;
        }
        if (strcmp(argument, "--") == 0) {
            flags->verb = i + 1 < argc ? argv[i + 1] : "";
            return true;
        }
        const char *name = argument + (argument[1] == '-' ? 2 : 1);
        size_t length = strcspn(name, "=");
        const char *value = name[length] == '=' ? name + length + 1 : NULL;

        bool known = false;
        for (size_t t = 0; t < sizeof texts / sizeof texts[0] && !known; t++) {
            if (!is_name(name, length, texts[t].name)) {
                continue;
            }
            known = true;
            if (value == NULL) {
                if (i + 1 >= argc) {
                    return fail(failure, "the flag -%s needs a value, but it is the last argument",
                                texts[t].name);
                }
                value = argv[++i];
            }
            *texts[t].value = value;
        }
        for (size_t s = 0; s < sizeof switches / sizeof switches[0] && !known; s++) {
            if (!is_name(name, length, switches[s].name)) {
                continue;
            }
            known = true;
            if (!parse_switch(value == NULL ? "true" : value, switches[s].value)) {
                return fail(failure, "the flag -%s is true or false, found %s", switches[s].name, value);
            }
        }
        bool takes_next =
            !known && value == NULL && i + 2 < argc && argv[i + 1][0] != '-' && !is_verb(argv[i + 1]);
        if (takes_next) {
            i++;
        }
    }
    return true;
}
