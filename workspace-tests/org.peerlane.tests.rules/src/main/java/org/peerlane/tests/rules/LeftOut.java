package org.peerlane.tests.rules;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The rules that the model leaves out on purpose: {@code left-out.tsv}, a line for each with id and
 * reason. {@code VU-1..VU-85} means every rule from the first to the last.
 */
final class LeftOut {
    private final NavigableMap<RuleId, String> reasons = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();

    private LeftOut() {}

    static LeftOut read(List<String> lines, NavigableMap<RuleId, Definition> rules) {
        LeftOut leftOut = new LeftOut();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.isBlank() && !line.startsWith("#")) {
                leftOut.line("left-out.tsv:" + (i + 1), line, rules);
            }
        }
        return leftOut;
    }

    /** {@return why, for each rule left out} */
    NavigableMap<RuleId, String> reasons() {
        return reasons;
    }

    List<String> problems() {
        return problems;
    }

    private void line(String place, String line, NavigableMap<RuleId, Definition> rules) {
        int tab = line.indexOf('\t');
        String ids = tab < 0 ? line.strip() : line.substring(0, tab).strip();
        String reason = tab < 0 ? "" : line.substring(tab + 1).strip();
        if (reason.isEmpty()) {
            problems.add(place + ": \"" + ids + "\" has no reason: expected id, tab, reason");
            return;
        }
        int dots = ids.indexOf("..");
        RuleId first = known(place, dots < 0 ? ids : ids.substring(0, dots), rules);
        RuleId last = dots < 0 ? first : known(place, ids.substring(dots + 2), rules);
        if (first == null || last == null) {
            return;
        }
        if (!first.isBeside(last) || first.compareTo(last) > 0) {
            problems.add(
                    place
                            + ": \""
                            + ids
                            + "\" does not lead from a lower id to a higher of one family");
            return;
        }
        for (RuleId id : rules.subMap(first, true, last, true).keySet()) {
            if (reasons.putIfAbsent(id, reason) != null) {
                problems.add(place + ": " + id + " is left out twice");
            }
        }
    }

    private @Nullable RuleId known(
            String place, String text, NavigableMap<RuleId, Definition> rules) {
        RuleId id = RuleId.parse(text.strip());
        if (id == null || !rules.containsKey(id)) {
            problems.add(place + ": \"" + text.strip() + "\" is no rule of docs/reference");
            return null;
        }
        return id;
    }
}
