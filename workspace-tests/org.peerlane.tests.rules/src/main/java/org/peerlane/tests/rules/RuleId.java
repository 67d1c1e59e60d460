package org.peerlane.tests.rules;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of a rule: family and number, such as {@code DB-32}, {@code P2-9} or {@code PC-17a}.
 *
 * <p>Scenarios ({@code T-1}) are numbered from 1 in each document, so theirs is led by the
 * document: {@code dma-buf:T-1}.
 *
 * @param document the document's name for a scenario, else empty
 * @param family one to four capital letters and digits
 * @param number from 1
 * @param suffix a small letter, or empty
 */
record RuleId(String document, String family, int number, String suffix)
        implements Comparable<RuleId> {
    /** An id as documents write it. */
    static final String SYNTAX = "[A-Z][A-Z0-9]{0,3}-[1-9][0-9]{0,3}[a-z]?";

    /** Leads the ids of samples in tests of the rule machinery: they name no rule. */
    static final String SAMPLE = "sample:";

    private static final Pattern ID =
            Pattern.compile(
                    "(?:([a-z][a-z0-9-]*):)?([A-Z][A-Z0-9]{0,3})-([1-9][0-9]{0,3})([a-z]?)");
    private static final Comparator<RuleId> ORDER =
            Comparator.comparing(RuleId::document)
                    .thenComparing(RuleId::family)
                    .thenComparingInt(RuleId::number)
                    .thenComparing(RuleId::suffix);

    /** {@return the id, or null if the text is none} */
    static @Nullable RuleId parse(String text) {
        Matcher id = ID.matcher(text);
        if (!id.matches()) {
            return null;
        }
        String document = id.group(1) == null ? "" : id.group(1);
        return new RuleId(document, id.group(2), Integer.parseInt(id.group(3)), id.group(4));
    }

    /** {@return this id as the rule of a document} */
    RuleId in(String ofDocument) {
        return family.length() == 1 ? new RuleId(ofDocument, family, number, suffix) : this;
    }

    /**
     * {@return whether both are of one family, so that a range from one to the other means
     * something}
     */
    boolean isBeside(RuleId other) {
        return document.equals(other.document) && family.equals(other.family);
    }

    @Override
    public int compareTo(RuleId other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return (document.isEmpty() ? "" : document + ":") + family + "-" + number + suffix;
    }
}
