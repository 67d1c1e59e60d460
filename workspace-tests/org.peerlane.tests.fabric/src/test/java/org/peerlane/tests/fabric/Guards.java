package org.peerlane.tests.fabric;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * {@code ./peerlane guards [--explore] [NAME...]}: takes one {@link Guard} after the other out of a
 * copy of the code, and runs the tests that must go red then.
 *
 * <p>Only the files of the guard are compiled, to a folder before all else on the class path of a
 * class loader of its own. Nothing in the tree is touched.
 *
 * <p>With {@code --explore}, each test runs first at full length with the code as it is.
 */
final class Guards {
    private final Path home = Path.of(System.getProperty("peerlane.home"));
    private final boolean explore;
    private final Map<String, String> explored = new HashMap<>();
    private int green;

    private Guards(boolean explore) {
        this.explore = explore;
    }

    public static void main(String[] args) throws Exception {
        List<String> names = new ArrayList<>(List.of(args));
        Guards guards = new Guards(names.remove("--explore"));
        guards.run(names);
        if (guards.green > 0) {
            System.err.println("peerlane: " + guards.green + " tests do not notice their guard");
        }
        System.exit(guards.green > 0 ? 1 : 0); // tests that failed leave threads
    }

    private void run(List<String> names) throws Exception {
        List<Guard> chosen =
                Guard.all(home).stream()
                        .filter(g -> names.isEmpty() || names.contains(g.name()))
                        .toList();
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("no guard " + names + "; see " + Guard.FOLDER);
        }
        System.out.println(
                explore
                        ? "| Test | Schedules | Time | Without | Red after |\n|---|---|---|---|---|"
                        : "| Test | Without | Red after |\n|---|---|---|");
        for (Guard guard : chosen) {
            Path mutant = Files.createTempDirectory("peerlane-guard");
            compile(guard, mutant);
            for (String test : guard.tests()) {
                String whole = explore ? whole(test) : "";
                String red = in(List.of(mutant), test, false);
                green += red.startsWith("**") ? 1 : 0;
                System.out.printf("| `%s` |%s %s | %s |%n", brief(test), whole, guard.text(), red);
            }
            delete(mutant);
        }
    }

    private static String brief(String test) {
        return test.substring(test.lastIndexOf('.') + 1).replace('#', '.');
    }

    private String whole(String test) throws Exception {
        String known = explored.get(test);
        if (known == null) {
            known = in(List.of(), test, true);
            explored.put(test, known);
        }
        return known;
    }

    /** Runs a test in a class loader of its own. */
    private static String in(List<Path> before, String test, boolean whole) throws Exception {
        List<URL> urls = new ArrayList<>();
        for (Path path : before) {
            urls.add(path.toUri().toURL());
        }
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(url(path));
        }
        try (URLClassLoader loader =
                new URLClassLoader(
                        urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Thread.currentThread().setContextClassLoader(loader);
            return (String)
                    loader.loadClass("org.peerlane.tests.fabric.GuardRun")
                            .getMethod("run", String.class, boolean.class)
                            .invoke(null, test, whole);
        }
    }

    private static URL url(String path) throws MalformedURLException {
        return Path.of(path).toUri().toURL();
    }

    private void compile(Guard guard, Path to) throws IOException {
        Path sources = Files.createDirectory(to.resolve("sources"));
        List<String> options =
                new ArrayList<>(
                        List.of(
                                "-proc:none",
                                "-nowarn",
                                "-d",
                                to.toString(),
                                "-cp",
                                System.getProperty("java.class.path")));
        for (String file : guard.files()) {
            Path copy = sources.resolve(Path.of(file).getFileName());
            Files.writeString(copy, guard.without(home, file));
            options.add(copy.toString());
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler.run(null, System.err, System.err, options.toArray(String[]::new)) != 0) {
            throw new IllegalStateException(guard.name() + ": does not compile without the guard");
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var all = Files.walk(folder)) {
            Path[] paths = all.toArray(Path[]::new);
            Arrays.sort(paths, (a, b) -> b.compareTo(a)); // what is inside first
            for (Path path : paths) {
                Files.delete(path);
            }
        }
    }
}
