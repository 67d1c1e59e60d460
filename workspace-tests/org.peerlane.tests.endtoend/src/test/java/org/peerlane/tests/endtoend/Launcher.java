package org.peerlane.tests.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Starts {@code ./peerlane} as a person does. It must not build: the reactor is at it already. */
final class Launcher {
    static final Path HOME = Path.of(System.getProperty("peerlane.home"));
    private static final int LIMIT_SECONDS = 120;

    private Launcher() {}

    /** What a start of the launcher left behind. */
    record Outcome(int exit, String out, String err) {}

    /** Runs the launcher in {@code folder} until it ends. */
    static Outcome run(Path folder, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(HOME.resolve("peerlane").toString());
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile("peerlane", ".out");
        Path err = Files.createTempFile("peerlane", ".err");
        try {
            var builder = new ProcessBuilder(command).directory(folder.toFile());
            builder.environment().put("PEERLANE_NO_BUILD", "1");
            builder.environment().putAll(environment);
            builder.redirectOutput(out.toFile()).redirectError(err.toFile());
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new AssertionError(command + " still runs; so far: " + read(out) + read(err));
            }
            return new Outcome(process.exitValue(), read(out), read(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** Runs the launcher in the project's own folder. */
    static Outcome run(String... arguments) throws IOException, InterruptedException {
        return run(HOME, Map.of(), arguments);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
