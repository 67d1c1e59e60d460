package org.peerlane.tests.rules;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What lies below a project's root: rules, left-out list, compiled classes and results.
 *
 * @param definitions in the order of the documents
 * @param documentProblems malformed ids
 * @param leftOut the lines of {@code left-out.tsv}
 * @param tests the compiled classes of all modules: contract suites lie among a bundle's own
 * @param results of the last run of each test class
 */
record Sources(
        List<Definition> definitions,
        List<String> documentProblems,
        List<String> leftOut,
        CompiledTests tests,
        List<Result> results) {

    /**
     * Reads them.
     *
     * @throws NoSuchFileException there is no {@code docs/reference} below the root
     */
    static Sources read(Path root) throws IOException {
        Path reference = root.resolve("docs/reference");
        if (!Files.isDirectory(reference)) {
            throw new NoSuchFileException(
                    root + " is no project root: it has no folder docs/reference");
        }
        List<Definition> definitions = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (Path file : documents(reference)) {
            String name = file.getFileName().toString().replaceFirst("\\.md$", "");
            Document document = Document.read(name, Files.readAllLines(file));
            definitions.addAll(document.definitions());
            problems.addAll(document.problems());
        }
        Path leftOut = reference.resolve("left-out.tsv");
        List<String> lines = Files.exists(leftOut) ? Files.readAllLines(leftOut) : List.of();
        BuildOutput output = new BuildOutput();
        Files.walkFileTree(root, output);
        return new Sources(definitions, problems, lines, output.tests, output.results);
    }

    private static List<Path> documents(Path reference) throws IOException {
        try (Stream<Path> files = Files.list(reference)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".md"))
                    .filter(file -> !file.getFileName().toString().equals("README.md"))
                    .sorted()
                    .toList();
        }
    }

    /** Looks into each {@code target} folder for classes and results. */
    private static final class BuildOutput extends SimpleFileVisitor<Path> {
        final CompiledTests tests = new CompiledTests();
        final List<Result> results = new ArrayList<>();

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                throws IOException {
            String name = folder.getFileName() == null ? "" : folder.getFileName().toString();
            if (!name.equals("target")) {
                return name.startsWith(".git") || name.equals("src")
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }
            for (Path file : files(folder.resolve("classes"), ".class")) {
                tests.add(file);
            }
            for (Path file : files(folder.resolve("test-classes"), ".class")) {
                tests.add(file);
            }
            for (Path file : files(folder.resolve("rule-results"), ".tsv")) {
                results.addAll(Result.read(file));
            }
            return FileVisitResult.SKIP_SUBTREE;
        }

        private static List<Path> files(Path folder, String suffix) throws IOException {
            if (!Files.isDirectory(folder)) {
                return List.of();
            }
            try (Stream<Path> files = Files.walk(folder)) {
                return files.filter(file -> file.toString().endsWith(suffix))
                        .filter(file -> !file.endsWith("module-info.class"))
                        .sorted()
                        .toList();
            }
        }
    }
}
