package dev.atoll.sandbox.http;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/// A value for each setting. Immutable.
///
/// @param values in the units of [HttpSetting#parse]
public record HttpSettings(Map<HttpSetting, Long> values) {
    public static final HttpSettings DEFAULTS = defaults();

    public HttpSettings {
        Map<HttpSetting, Long> copy = new EnumMap<>(HttpSetting.class);
        for (HttpSetting setting : HttpSetting.values()) {
            Long value = values.get(setting);
            if (value == null || !setting.isInRange(value)) {
                throw new IllegalArgumentException(
                        "%s: expected %s, found %s"
                                .formatted(setting.key(), setting.accepted(), value));
            }
            copy.put(setting, value);
        }
        values = Collections.unmodifiableMap(copy);
    }

    private static HttpSettings defaults() {
        Map<HttpSetting, Long> values = new EnumMap<>(HttpSetting.class);
        for (HttpSetting setting : HttpSetting.values()) {
            values.put(setting, setting.byDefault());
        }
        return new HttpSettings(values);
    }

    public long get(HttpSetting setting) {
        return values.getOrDefault(setting, setting.byDefault());
    }

    /// These settings with some replaced.
    public HttpSettings with(Map<HttpSetting, Long> replacements) {
        if (replacements.isEmpty()) {
            return this;
        }
        Map<HttpSetting, Long> all = new EnumMap<>(values);
        all.putAll(replacements);
        return new HttpSettings(all);
    }
}
