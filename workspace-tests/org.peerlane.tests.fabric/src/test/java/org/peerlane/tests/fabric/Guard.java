package org.peerlane.tests.fabric;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A guard of the code, and the tests that go red once it is taken out. One text file each, in
 * {@code src/test/guards}:
 *
 * <pre>
 * what the guard is, in one line
 * test org.peerlane.tests.fabric.ResetRaceTest#nothingFromBefore...
 * file bundles/org.peerlane.bus.pcie/src/main/java/.../Endpoint.java
 * - the lines as they are, whatever their indentation
 * + the lines in their place
 * </pre>
 *
 * <p>Several tests, files and places may follow each other; a blank line ends a place.
 *
 * @param name of its file, without the suffix
 * @param text what it is
 * @param tests class, {@code #}, method
 * @param places where it is
 */
record Guard(String name, String text, List<String> tests, List<Place> places) {
    static final String FOLDER = "workspace-tests/org.peerlane.tests.fabric/src/test/guards";

    /**
     * Lines of one file.
     *
     * @param file from the root of the tree
     * @param before what is there, without indentation
     * @param after what is there instead
     */
    record Place(String file, List<String> before, List<String> after) {}

    /** {@return all there are, by name} */
    static List<Guard> all(Path home) {
        try (Stream<Path> files = Files.list(home.resolve(FOLDER))) {
            return files.sorted().map(Guard::read).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Guard read(Path file) {
        String name = file.getFileName().toString().replaceFirst("\\.txt$", "");
        List<String> lines = lines(file);
        List<String> tests = new ArrayList<>();
        List<Place> places = new ArrayList<>();
        String in = "";
        Place open = null;
        for (String line : lines.subList(1, lines.size())) {
            if (line.isBlank()) {
                open = null;
            } else if (line.startsWith("test ")) {
                tests.add(line.substring(5).strip());
            } else if (line.startsWith("file ")) {
                in = line.substring(5).strip();
                open = null;
            } else if (line.startsWith("-") || line.startsWith("+")) {
                if (open == null) {
                    open = new Place(in, new ArrayList<>(), new ArrayList<>());
                    places.add(open);
                }
                (line.startsWith("-") ? open.before() : open.after())
                        .add(line.substring(1).strip());
            } else {
                throw new IllegalArgumentException(
                        "%s: line '%s'; expected test, file, - or +".formatted(file, line));
            }
        }
        return new Guard(name, lines.getFirst(), tests, places);
    }

    /** {@return how often the lines of a place are in its file; 1 if all is well} */
    static int found(Path home, Place place) {
        return starts(lines(home.resolve(place.file())), place).size();
    }

    /** {@return the files of the guard, without it} */
    List<String> files() {
        return places.stream().map(Place::file).distinct().toList();
    }

    /** {@return the text of one of its files, without the guard} */
    String without(Path home, String file) {
        List<String> lines = new ArrayList<>(lines(home.resolve(file)));
        for (Place place : places) {
            if (place.file().equals(file)) {
                List<Integer> at = starts(lines, place);
                if (at.size() != 1) {
                    throw new IllegalArgumentException(
                            "%s: %s has %d times '%s'; expected once"
                                    .formatted(name, file, at.size(), place.before().getFirst()));
                }
                List<String> old =
                        lines.subList(at.getFirst(), at.getFirst() + place.before().size());
                old.clear();
                old.addAll(place.after());
            }
        }
        return String.join("\n", lines);
    }

    private static List<Integer> starts(List<String> lines, Place place) {
        List<String> stripped = lines.stream().map(String::strip).toList();
        int count = place.before().size();
        return IntStream.rangeClosed(0, stripped.size() - count)
                .filter(i -> stripped.subList(i, i + count).equals(place.before()))
                .boxed()
                .toList();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
