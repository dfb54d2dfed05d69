package dev.atoll.deploy.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What follows a command's name: options in any place, as `--name value` or `--name=value`, and
/// operands. After `--` all are operands. Immutable.
record Arguments(Set<String> switches, Map<String, String> values, List<String> operands) {
    Arguments {
        switches = Set.copyOf(switches);
        values = Map.copyOf(values);
        operands = List.copyOf(operands);
    }

    static Arguments parse(List<String> words, Options options) throws WrongUsage {
        Set<String> switches = new HashSet<>();
        Map<String, String> values = new HashMap<>();
        List<String> operands = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.equals("--")) {
                operands.addAll(words.subList(i + 1, words.size()));
                break;
            }
            if (!word.startsWith("-") || word.equals("-")) {
                operands.add(word);
                continue;
            }
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            if (options.switches().contains(name)) {
                if (equals >= 0) {
                    throw new WrongUsage("%s takes no value, found %s".formatted(name, word));
                }
                switches.add(name);
            } else if (options.values().contains(name)) {
                if (equals < 0 && ++i == words.size()) {
                    throw new WrongUsage("%s needs a value".formatted(name));
                }
                String value = equals < 0 ? words.get(i) : word.substring(equals + 1);
                if (values.put(name, value) != null) {
                    throw new WrongUsage("%s is given twice".formatted(name));
                }
            } else {
                throw new WrongUsage("unknown option %s".formatted(name));
            }
        }
        return new Arguments(switches, values, operands);
    }

    boolean has(String name) {
        return switches.contains(name);
    }

    Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /// @param expected names of the operands, for the message
    void requireOperands(String... expected) throws WrongUsage {
        if (operands.size() != expected.length) {
            throw new WrongUsage(
                    expected.length == 0
                            ? "unexpected argument %s".formatted(operands.getFirst())
                            : "expected %s, found %d arguments"
                                    .formatted(String.join(" and ", expected), operands.size()));
        }
    }
}
