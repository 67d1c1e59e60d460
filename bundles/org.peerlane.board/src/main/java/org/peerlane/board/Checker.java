package org.peerlane.board;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.peerlane.board.Entry.Setting;

/**
 * Compares an entry with what metatype says of its PID: known keys, types, ranges. Each mistake is
 * one line with file, line, column, key, and what was expected.
 */
final class Checker {
    /** The key that a factory's configuration gets from what follows the tilde. */
    static final String NAME = "name";

    private final Entry entry;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Object> properties = new HashMap<>();

    Checker(Entry entry) {
        this.entry = entry;
    }

    /** {@return the mistakes found; none: the properties are good} */
    List<String> problems() {
        return problems;
    }

    /** {@return the settings, converted, ready for configuration admin} */
    Map<String, Object> properties() {
        return properties;
    }

    /** Checks the settings of the PID's own. */
    void check(Schema schema) {
        if (schema.isFactory() && entry.name() == null) {
            problem(
                    "'%s' may stand here many times; expected a name after it, such as %s~first"
                            .formatted(entry.pid(), entry.pid()));
        } else if (!schema.isFactory() && entry.name() != null) {
            problem(
                    "'%s' may stand here once only; expected no '~%s' after it"
                            .formatted(entry.pid(), entry.name()));
        }
        check(schema, "", entry.settings());
    }

    /** Checks a slot: its own settings, and those that it has for its device. */
    void check(Schema slot, Schema device, String prefix) {
        List<Setting> own = new ArrayList<>(entry.settings());
        own.removeIf(s -> s.key().startsWith(prefix));
        List<Setting> options = new ArrayList<>(entry.settings());
        options.removeAll(own);
        check(slot, "", own);
        check(device, prefix, options);
    }

    private void check(Schema schema, String prefix, List<Setting> settings) {
        for (Setting setting : settings) {
            String key = setting.key().substring(prefix.length());
            Attribute attribute = schema.attributes().get(key);
            if (entry.name() != null && setting.key().equals(NAME)) {
                problem(setting, "the name is what follows the tilde; expected no such key");
            } else if (attribute == null) {
                problem(setting, unknown(setting.key(), prefix, schema.attributes().keySet()));
            } else {
                Object value = attribute.convert(setting.value());
                if (value == null) {
                    problem(setting, "expected " + attribute.expected());
                } else {
                    properties.put(setting.key(), value);
                }
            }
        }
        for (Attribute attribute : schema.attributes().values()) {
            String key = prefix + attribute.key();
            boolean given = entry.name() != null && key.equals(NAME);
            if (attribute.required() && !given && entry.value(key) == null) {
                problem("'%s' is missing; expected %s".formatted(key, attribute.expected()));
            }
        }
    }

    private void problem(String what) {
        problems.add("%s: %s: %s".formatted(entry.place(), entry.id(), what));
    }

    private void problem(Setting setting, String what) {
        problems.add(
                "%s: %s: '%s' is %s; %s"
                        .formatted(
                                setting.place(),
                                entry.id(),
                                setting.key(),
                                show(setting.value()),
                                what));
    }

    private static String show(Object value) {
        return value instanceof String ? "\"" + value + "\"" : value.toString();
    }

    private static String unknown(String key, String prefix, Set<String> known) {
        if (known.isEmpty()) {
            return "there is no such key, nor any other here";
        }
        List<String> all = known.stream().map(k -> prefix + k).toList();
        return "there is no such key%s; expected %s"
                .formatted(Nearest.to(key, all), all.stream().collect(Collectors.joining(", ")));
    }
}
