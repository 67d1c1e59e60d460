package org.peerlane.tests.endtoend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a page shows of a machine: commands, and what comes of them. */
final class Sessions {
    private static final int FLAGS = Pattern.MULTILINE | Pattern.DOTALL;
    private static final Pattern SCRIPT =
            Pattern.compile("^```\\n\\$ \\./peerlane exec (\\S+) '([^'\\n]*)'\\n(.*?)^```$", FLAGS);
    private static final Pattern PROMPTS =
            Pattern.compile("^```\\n\\$ \\./peerlane run (\\S+)\\n(peerlane> .*?)^```$", FLAGS);
    private static final Pattern PROMPT = Pattern.compile("^peerlane> (.*)\\n", Pattern.MULTILINE);

    /** What no two runs have in common. */
    private static final Pattern TIME =
            Pattern.compile(
                    "\\d+ ms, \\d+\\.\\d MiB/s" // of a copy
                            + "|(?m:^ *\\d+\\.\\d{3}(?= \\S))" // of a trace event
                            + "|(?<=physical=)\\d{1,10}\\b"); // a page of RAM

    private Sessions() {}

    /** What is typed, and what is shown for it. */
    record Session(String page, String machine, String commands, String shown) {}

    /** {@return the scripts that a page shows} */
    static Stream<Session> scripts(Path page) throws IOException {
        return SCRIPT
                .matcher(Files.readString(page))
                .results()
                .map(m -> new Session(name(page), m.group(1), m.group(2), m.group(3)))
                .toList()
                .stream();
    }

    /** {@return the sessions at the prompt, as scripts of the same commands} */
    static Stream<Session> prompts(Path page) throws IOException {
        return PROMPTS
                .matcher(Files.readString(page))
                .results()
                .map(m ->
                        new Session(
                                name(page),
                                m.group(1),
                                PROMPT.matcher(m.group(2))
                                        .results()
                                        .map(p -> p.group(1))
                                        .collect(Collectors.joining("; ")),
                                PROMPT.matcher(m.group(2)).replaceAll("")))
                .toList()
                .stream();
    }

    private static String name(Path page) {
        return page.getFileName().toString();
    }

    /** {@return the pages in a folder} */
    static List<Path> pages(String folder) throws IOException {
        try (Stream<Path> files = Files.list(Launcher.HOME.resolve(folder))) {
            return files.filter(file -> name(file).endsWith(".md")).sorted().toList();
        }
    }

    /** {@return a text without what differs from run to run} */
    static String comparable(String text) {
        return TIME.matcher(TableAddresses.named(text)).replaceAll("TIME");
    }
}
