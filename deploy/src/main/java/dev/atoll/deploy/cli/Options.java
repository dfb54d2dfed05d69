package dev.atoll.deploy.cli;

import java.util.Set;

/// Which options a command takes.
///
/// @param switches options without a value, such as `--json`
/// @param values options with one
record Options(Set<String> switches, Set<String> values) {
    static final Options NONE = new Options(Set.of(), Set.of());

    Options {
        switches = Set.copyOf(switches);
        values = Set.copyOf(values);
    }
}
