package org.peerlane.board;

import java.util.Map;
import java.util.TreeMap;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.ObjectClassDefinition;

/**
 * What metatype says of the keys of one PID.
 *
 * @param isFactory whether there may be many configurations, each with a name
 * @param attributes by key
 */
record Schema(boolean isFactory, Map<String, Attribute> attributes) {

    /**
     * @param ranges the allowed range in words, by key; the definitions can only tell whether a
     *     value is inside
     */
    static Schema of(
            ObjectClassDefinition definition, boolean isFactory, Map<String, String> ranges) {
        Map<String, Attribute> known = new TreeMap<>();
        add(known, definition, ObjectClassDefinition.REQUIRED, ranges);
        add(known, definition, ObjectClassDefinition.OPTIONAL, ranges);
        return new Schema(isFactory, known);
    }

    private static void add(
            Map<String, Attribute> known,
            ObjectClassDefinition definition,
            int filter,
            Map<String, String> ranges) {
        AttributeDefinition[] all = definition.getAttributeDefinitions(filter);
        if (all == null) {
            return;
        }
        for (AttributeDefinition one : all) {
            String[] defaults = one.getDefaultValue();
            boolean required =
                    filter == ObjectClassDefinition.REQUIRED
                            && (defaults == null || defaults.length == 0);
            known.put(
                    one.getID(),
                    new Attribute(
                            one.getID(), required, one, ranges.getOrDefault(one.getID(), "")));
        }
    }
}
