package dev.atoll.sandbox.http;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.InvalidWorkload;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/// A pod's own settings of its servers: annotations `atoll.dev/http-KEY`. Stateless.
public final class HttpAnnotations {
    /// What the names of all annotations for Atoll begin with.
    public static final String PREFIX = "atoll.dev/";

    private static final String HTTP_PREFIX = PREFIX + "http-";

    private HttpAnnotations() {}

    /// @return `settings` with those replaced that `annotations` name
    /// @throws InvalidWorkload if one of them is unknown or has a wrong value
    public static HttpSettings apply(HttpSettings settings, Map<String, String> annotations) {
        Map<HttpSetting, Long> replacements = new EnumMap<>(HttpSetting.class);
        // In order, so that of several wrong ones it is always the same that is named.
        for (Map.Entry<String, String> annotation : new TreeMap<>(annotations).entrySet()) {
            String name = annotation.getKey();
            if (name.startsWith(HTTP_PREFIX)) {
                HttpSetting setting = setting(name);
                replacements.put(setting, value(setting, name, annotation.getValue()));
            }
        }
        return settings.with(replacements);
    }

    private static HttpSetting setting(String name) {
        String key = name.substring(HTTP_PREFIX.length());
        return HttpSetting.of(key)
                .orElseThrow(() ->
                        new InvalidWorkload(
                                "annotation %s is not known: the nearest known is %s%s; correct or remove it"
                                        .formatted(
                                                OneLine.of(name),
                                                HTTP_PREFIX,
                                                Nearest.of(key, HttpSetting.keys()))));
    }

    private static long value(HttpSetting setting, String name, String text) {
        try {
            return setting.parse(text);
        } catch (InvalidSetting e) {
            throw new InvalidWorkload("annotation %s: %s".formatted(name, e.getMessage()), e);
        }
    }
}
