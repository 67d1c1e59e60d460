package org.peerlane.board;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.ObjectClassDefinition;
import org.peerlane.board.Entry.Setting;

/**
 * Compares an entry with what metatype says of its PID: known keys, types, ranges. Each mistake is
 * one line with file, line, column, key, and what was expected.
 */
final class Checker {
    private final List<String> problems = new ArrayList<>();
    private final Hashtable<String, Object> properties = new Hashtable<>();

    /** {@return the mistakes found; none: the properties are good} */
    List<String> problems() {
        return problems;
    }

    /** {@return the settings, converted, ready for configuration admin} */
    Hashtable<String, Object> properties() {
        return properties;
    }

    /**
     * Checks the settings whose key starts with a prefix.
     *
     * @param entry the entry
     * @param prefix what keys carry here and not in metatype; empty: those without any dot
     * @param definition what is known of them
     */
    void check(Entry entry, String prefix, ObjectClassDefinition definition) {
        Map<String, Attribute> known = attributes(definition);
        for (Setting setting : entry.settings()) {
            if (!belongs(setting.key(), prefix)) {
                continue;
            }
            String key = setting.key().substring(prefix.length());
            Attribute attribute = known.get(key);
            if (attribute == null) {
                problems.add(unknown(entry, setting, prefix, known.keySet()));
                continue;
            }
            Object value = attribute.convert(setting.value());
            if (value == null) {
                problems.add(
                        "%s: %s: '%s' is %s; expected %s"
                                .formatted(
                                        setting.place(),
                                        entry.id(),
                                        setting.key(),
                                        show(setting.value()),
                                        attribute.expected()));
            } else {
                properties.put(setting.key(), value);
            }
        }
        for (Attribute attribute : known.values()) {
            if (attribute.required() && entry.value(prefix + attribute.key()) == null) {
                problems.add(
                        "%s: %s: '%s' is missing; expected %s"
                                .formatted(
                                        entry.place(),
                                        entry.id(),
                                        prefix + attribute.key(),
                                        attribute.expected()));
            }
        }
    }

    private static boolean belongs(String key, String prefix) {
        return prefix.isEmpty() ? key.indexOf('.') < 0 : key.startsWith(prefix);
    }

    private static String show(Object value) {
        return value instanceof String ? "\"" + value + "\"" : value.toString();
    }

    private static Map<String, Attribute> attributes(ObjectClassDefinition definition) {
        Map<String, Attribute> known = new TreeMap<>();
        add(known, definition, ObjectClassDefinition.REQUIRED);
        add(known, definition, ObjectClassDefinition.OPTIONAL);
        return known;
    }

    private static void add(
            Map<String, Attribute> known, ObjectClassDefinition definition, int filter) {
        AttributeDefinition[] all = definition.getAttributeDefinitions(filter);
        if (all == null) {
            return;
        }
        for (AttributeDefinition one : all) {
            String[] defaults = one.getDefaultValue();
            boolean required =
                    filter == ObjectClassDefinition.REQUIRED
                            && (defaults == null || defaults.length == 0);
            known.put(one.getID(), Attribute.of(one, required));
        }
    }

    private static String unknown(
            Entry entry, Setting setting, String prefix, Collection<String> known) {
        String nearest = nearest(setting.key().substring(prefix.length()), known);
        return "%s: %s: there is no key '%s'%s; expected one of %s"
                .formatted(
                        setting.place(),
                        entry.id(),
                        setting.key(),
                        nearest == null ? "" : ", did you mean '" + prefix + nearest + "'?",
                        known.stream().map(k -> prefix + k).toList());
    }

    private static @Nullable String nearest(String key, Collection<String> known) {
        return known.stream()
                .filter(k -> distance(key, k) <= 2 + key.length() / 6)
                .min(Comparator.comparingInt(k -> distance(key, k)))
                .orElse(null);
    }

    /** The Levenshtein distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
