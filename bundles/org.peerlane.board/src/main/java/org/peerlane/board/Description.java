package org.peerlane.board;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Profile;

/**
 * What a board says of the machine as a whole.
 *
 * @param name the machine's
 * @param profile the kernel that is emulated
 * @param problems one line for each mistake
 */
record Description(String name, Profile profile, List<String> problems) {
    private static final String PID = "org.peerlane.machine";
    private static final List<String> KEYS = List.of("description", "name", "profile");

    /** Takes the entry about the machine out of the list and reads it. */
    static Description take(List<Entry> entries) {
        String name = "unnamed";
        Profile profile = Profile.DEFAULT;
        List<String> problems = new ArrayList<>();
        for (Entry entry : List.copyOf(entries)) {
            if (!entry.pid().equals(PID)) {
                continue;
            }
            entries.remove(entry);
            for (Entry.Setting setting : entry.settings()) {
                String place =
                        "%s: %s: '%s' is \"%s\"; "
                                .formatted(
                                        setting.place(),
                                        entry.id(),
                                        setting.key(),
                                        setting.value());
                if (!KEYS.contains(setting.key())) {
                    problems.add(
                            place
                                    + "there is no such key%s; expected %s"
                                            .formatted(
                                                    Nearest.to(setting.key(), KEYS),
                                                    String.join(", ", KEYS)));
                } else if (!(setting.value() instanceof String text)) {
                    problems.add(place + "expected a string");
                } else if (setting.key().equals("name")) {
                    name = text;
                } else if (setting.key().equals("profile")) {
                    try {
                        profile = Profile.parse(text);
                    } catch (ErrnoException e) {
                        problems.add(place + e.sentence() + "; " + profile + " is used");
                    }
                }
            }
        }
        return new Description(name, profile, problems);
    }
}
