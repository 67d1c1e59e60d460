package org.peerlane.board;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One PID of a board file with its settings.
 *
 * @param pid before the tilde, or all of it
 * @param name after the tilde; null: a single configuration
 * @param place where the key stands
 * @param settings the keys, in the file's order
 */
record Entry(String pid, @Nullable String name, Place place, List<Setting> settings) {

    /** One key and its value: a String, Boolean, Long, BigInteger, Double, or a list of those. */
    record Setting(String key, Object value, Place place) {}

    /** Where something stands in a file. */
    record Place(String file, int line, int column) {
        @Override
        public String toString() {
            return file + ":" + line + ":" + column;
        }
    }

    /** {@return a key with its value, or null} */
    @Nullable Setting setting(String key) {
        for (Setting setting : settings) {
            if (setting.key.equals(key)) {
                return setting;
            }
        }
        return null;
    }

    /** {@return the value of a key, or null} */
    @Nullable Object value(String key) {
        Setting setting = setting(key);
        return setting == null ? null : setting.value;
    }

    /** {@return as the board file names it} */
    String id() {
        return name == null ? pid : pid + "~" + name;
    }
}
