package org.peerlane.tests.manifests;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A bundle of ours as the build made it.
 *
 * @param name its folder, which is to be its artifact id and symbolic name too
 * @param jar the built jar; it need not exist before phase {@code package}
 * @param manifest main attributes
 * @param classes byte code by class name, {@code org/peerlane/...}
 */
record BuiltBundle(String name, Path jar, Attributes manifest, Map<String, byte[]> classes) {
    static final Path ROOT = Path.of(System.getProperty("peerlane.root", "../..")).normalize();
    private static final String MANIFEST = "META-INF/MANIFEST.MF";

    @Override
    public String toString() {
        return name;
    }

    /** {@return all bundles below the project's root, in the order of their names} */
    static List<BuiltBundle> all() {
        List<BuiltBundle> bundles = new ArrayList<>();
        for (String folder : List.of("bundles", "emulated-devices")) {
            try (Stream<Path> modules = Files.list(ROOT.resolve(folder))) {
                for (Path module : modules.sorted().toList()) {
                    if (Files.exists(module.resolve("bnd.bnd"))) {
                        bundles.add(read(module));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the bundles of " + ROOT, e);
            }
        }
        return bundles;
    }

    /** {@return the text of a header, empty if there is none} */
    String header(String header) {
        String text = manifest.getValue(header);
        return text == null ? "" : text;
    }

    /** {@return whether a package is the bundle's own} */
    boolean holds(String packageName) {
        String folder = packageName.replace('.', '/') + "/";
        return classes.keySet().stream()
                .anyMatch(
                        type -> type.startsWith(folder) && type.indexOf('/', folder.length()) < 0);
    }

    private static BuiltBundle read(Path module) throws IOException {
        String name = module.getFileName().toString();
        Path target = module.resolve("target");
        Path jar = jar(name, target);
        Path folder = target.resolve("classes");
        boolean packed =
                Files.exists(jar)
                        && (!Files.exists(folder.resolve(MANIFEST))
                                || Files.getLastModifiedTime(jar)
                                                .compareTo(
                                                        Files.getLastModifiedTime(
                                                                folder.resolve(MANIFEST)))
                                        >= 0);
        Map<String, byte[]> files = packed ? ofJar(jar) : ofFolder(folder);
        byte[] manifest = files.get(MANIFEST);
        if (manifest == null) {
            throw new IOException(module + " is not built: it has neither jar nor manifest");
        }
        Map<String, byte[]> classes = new TreeMap<>();
        files.forEach((file, bytes) -> {
            if (file.endsWith(".class")) {
                classes.put(file.substring(0, file.length() - ".class".length()), bytes);
            }
        });
        Attributes headers = new Manifest(new ByteArrayInputStream(manifest)).getMainAttributes();
        return new BuiltBundle(name, jar, headers, classes);
    }

    /** {@return the newest jar of the module: an old version's may still lie beside it} */
    private static Path jar(String name, Path target) throws IOException {
        Path newest = target.resolve(name + ".jar");
        if (!Files.isDirectory(target)) {
            return newest;
        }
        try (Stream<Path> files = Files.list(target)) {
            for (Path file : files.sorted().toList()) {
                if (file.getFileName()
                                .toString()
                                .matches("\\Q" + name + "\\E-[0-9][^-]*(-SNAPSHOT)?\\.jar")
                        && (!Files.exists(newest)
                                || Files.getLastModifiedTime(file)
                                                .compareTo(Files.getLastModifiedTime(newest))
                                        > 0)) {
                    newest = file;
                }
            }
        }
        return newest;
    }

    private static Map<String, byte[]> ofJar(Path jar) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            Enumeration<? extends ZipEntry> entries = zip.entries();
            while (entries.hasMoreElements()) {
                ZipEntry entry = entries.nextElement();
                if (!entry.isDirectory()) {
                    files.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
                }
            }
        }
        return files;
    }

    private static Map<String, byte[]> ofFolder(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        if (!Files.isDirectory(folder)) {
            return files;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                files.put(
                        folder.relativize(path).toString().replace('\\', '/'),
                        Files.readAllBytes(path));
            }
        }
        return files;
    }
}
