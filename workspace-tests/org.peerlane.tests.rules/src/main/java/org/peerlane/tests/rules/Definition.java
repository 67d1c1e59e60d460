package org.peerlane.tests.rules;

import java.util.Set;

/**
 * Where a document defines a rule.
 *
 * @param id its name
 * @param document the document's file name without {@code .md}
 * @param chapter the nearest heading of the second level, such as {@code 4. Dynamic attachments}
 * @param section the nearest heading of any level
 * @param line counted from 1
 * @param tags what its text says of its standing: {@code M}, {@code P}, {@code I}, {@code PROP}
 *     ...; those of its section or chapter if it says nothing itself
 */
record Definition(
        RuleId id, String document, String chapter, String section, int line, Set<String> tags) {

    /** {@return file and line, for messages} */
    String place() {
        return document + ".md:" + line;
    }
}
