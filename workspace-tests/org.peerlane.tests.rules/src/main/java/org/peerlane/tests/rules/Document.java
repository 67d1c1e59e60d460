package org.peerlane.tests.rules;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the rules that one document of {@code docs/reference} defines.
 *
 * <p>An id defines a rule where it opens a list item ({@code - **DB-32** ...}, {@code - PC-17 ...})
 * or fills the first cell of a table row ({@code | CK-1 [F] | ...}); several ids ({@code DB-1,
 * DB-2}) and ranges ({@code DB-1..DB-4}) may stand there. Anywhere else it is a mention.
 */
final class Document {
    private static final Pattern HEADING = Pattern.compile("(#{1,6})\\s+(.*?)\\s*");
    private static final Pattern ITEM = Pattern.compile("\\s*[-*+]\\s+(.*)");
    private static final Pattern ROW = Pattern.compile("\\s*\\|\\s*(.*?)\\s*\\|.*");
    private static final String IDS =
            "%1$s(?:\\s*(?:,|\\.\\.|–|and)\\s*%1$s)*".formatted(RuleId.SYNTAX);
    private static final Pattern BOLD_IDS = Pattern.compile("\\*\\*(" + IDS + ")\\*\\*(.*)");
    private static final Pattern PLAIN_IDS = Pattern.compile("(" + IDS + ")((?:[\\s:].*)?)");

    /** What was meant as an id but is none: a family and a number in some form. */
    private static final Pattern NEARLY =
            Pattern.compile("(?:\\*\\*)?\\s*([A-Z][A-Za-z0-9]{0,3}[-–_ ]?[0-9][^\\s|*]*)");

    private static final Pattern RANGE_OR_ID =
            Pattern.compile("(%1$s)(?:\\s*(?:\\.\\.|–)\\s*(%1$s))?".formatted(RuleId.SYNTAX));
    private static final Pattern TAG =
            Pattern.compile("\\[(PROP|OBS|2nd|M|P|D|I|F|W|H|[67]\\.[0-9]+)(?=[\\],/ .])[^\\]]*\\]");

    private final String name;
    private final List<Definition> definitions = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private String chapter = "";
    private String section = "";
    private Set<String> headingTags = Set.of();

    private Document(String name) {
        this.name = name;
    }

    /**
     * Reads a document.
     *
     * @param name its file name without {@code .md}
     */
    static Document read(String name, List<String> lines) {
        Document document = new Document(name);
        boolean code = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.stripLeading().startsWith("```")) {
                code = !code;
            } else if (!code) {
                document.line(i + 1, line, lines);
            }
        }
        return document;
    }

    List<Definition> definitions() {
        return List.copyOf(definitions);
    }

    List<String> problems() {
        return List.copyOf(problems);
    }

    private void line(int number, String line, List<String> lines) {
        Matcher heading = HEADING.matcher(line);
        if (heading.matches()) {
            section = heading.group(2);
            if (heading.group(1).length() <= 2) {
                chapter = section;
            }
            Set<String> own = tags(section);
            headingTags = own.isEmpty() ? tags(chapter) : own;
            return;
        }
        Matcher item = ITEM.matcher(line);
        if (item.matches()) {
            opening(number, item.group(1), item.group(1) + continuation(number, lines));
            return;
        }
        Matcher row = ROW.matcher(line);
        if (row.matches()) {
            cell(number, row.group(1), line);
        }
    }

    private void opening(int number, String item, String text) {
        Matcher bold = BOLD_IDS.matcher(item);
        Matcher plain = PLAIN_IDS.matcher(item);
        if (bold.matches()) {
            define(number, bold.group(1), text);
        } else if (plain.matches()) {
            define(number, plain.group(1), text);
        } else {
            reportIfNearly(number, item);
        }
    }

    private void cell(int number, String cell, String text) {
        String ids = TAG.matcher(cell).replaceAll("").replace("**", "").strip();
        if (ids.matches(IDS)) {
            define(number, ids, text);
        } else if (cell.matches("(?:\\*\\*)?[A-Z][A-Z0-9]{0,3}[-–][0-9].*")) {
            reportIfNearly(number, cell);
        }
    }

    private void reportIfNearly(int number, String text) {
        Matcher nearly = NEARLY.matcher(text);
        if (nearly.lookingAt()) {
            problems.add(
                    "%s.md:%d: \"%s\" stands where a rule's id does but is none; expected a form like DB-32"
                            .formatted(name, number, nearly.group(1)));
        }
    }

    private void define(int number, String ids, String text) {
        Set<String> own = tags(text);
        Set<String> tags = own.isEmpty() ? headingTags : own;
        Matcher part = RANGE_OR_ID.matcher(ids);
        while (part.find()) {
            RuleId first = id(part.group(1));
            RuleId last = part.group(2) == null ? first : id(part.group(2));
            if (!first.isBeside(last) || first.compareTo(last) > 0) {
                problems.add(
                        "%s.md:%d: the range \"%s\" does not lead from a lower id to a higher of one family"
                                .formatted(name, number, part.group()));
                continue;
            }
            if (first.equals(last)) {
                definitions.add(new Definition(first, name, chapter, section, number, tags));
                continue;
            }
            for (int n = first.number(); n <= last.number(); n++) {
                RuleId id = new RuleId(first.document(), first.family(), n, "");
                definitions.add(new Definition(id, name, chapter, section, number, tags));
            }
        }
    }

    private RuleId id(String text) {
        RuleId id = RuleId.parse(text);
        if (id == null) {
            throw new AssertionError(text + " matched the form of an id");
        }
        return id.in(name);
    }

    /** {@return the lines that go on with the list item of the line before, each led by a blank} */
    private static String continuation(int number, List<String> lines) {
        StringBuilder text = new StringBuilder();
        for (int i = number; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || !line.startsWith(" ") || ITEM.matcher(line).matches()) {
                break;
            }
            text.append(' ').append(line.strip());
        }
        return text.toString();
    }

    private static Set<String> tags(String text) {
        Set<String> tags = new TreeSet<>();
        Matcher tag = TAG.matcher(text);
        while (tag.find()) {
            tags.add(tag.group(1));
        }
        return tags;
    }
}
