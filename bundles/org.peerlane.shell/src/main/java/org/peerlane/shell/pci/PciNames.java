package org.peerlane.shell.pci;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Names of vendors, devices and classes: those that the platform's machines have, no more. The file
 * {@code pci-names.txt} beside this class is in the format of {@code pci.ids}.
 */
final class PciNames {
    private static final String FILE = "pci-names.txt";

    /** By {@code vendor}, {@code vendor:device}, {@code C class}, and so on: the numbers in hex. */
    private static final Map<String, String> NAMES = read();

    private PciNames() {}

    private static Map<String, String> read() {
        Map<String, String> names = new HashMap<>();
        String[] path = new String[3];
        for (String line : text().lines().toList()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String entry = line.stripLeading();
            int depth = line.length() - entry.length();
            int gap = entry.indexOf("  ");
            path[depth] = entry.substring(0, gap).replace(' ', ':');
            StringBuilder key = new StringBuilder(path[0]);
            for (int i = 1; i <= depth; i++) {
                key.append(':').append(path[i]);
            }
            names.put(key.toString(), entry.substring(gap + 2));
        }
        return names;
    }

    /** {@return the file, for those who want to give it to another lspci} */
    static String text() {
        try (InputStream in = PciNames.class.getResourceAsStream(FILE)) {
            if (in == null) {
                throw new IllegalStateException("this bundle lacks " + FILE);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return a class, such as {@code PCI bridge}} */
    static String type(int code, Style style) {
        String number = "%04x".formatted(code);
        String base = "C:%02x".formatted(code >>> 8);
        String exact = NAMES.get(base + ":%02x".formatted(code & 0xFF));
        String name = exact == null ? NAMES.get(base) : exact;
        if (style == Style.NUMBERS) {
            return number;
        }
        boolean both = style == Style.BOTH || exact == null && name != null;
        String shown = name == null ? "Class" : name;
        return both ? "%s [%s]".formatted(shown, number) : name == null ? "Class " + number : name;
    }

    /**
     * {@return what the programming interface of a class is called, or null}
     *
     * @param code base class and sub-class
     * @param interfaceCode the lowest byte of the class code
     */
    static @Nullable String programmingInterface(int code, int interfaceCode) {
        return NAMES.get("C:%02x:%02x:%02x".formatted(code >>> 8, code & 0xFF, interfaceCode));
    }

    /** {@return vendor and device} */
    static String device(int vendor, int device, Style style) {
        return pair(vendor, device, NAMES.get("%04x:%04x".formatted(vendor, device)), style);
    }

    /** {@return who built a function's board, and which} */
    static String subsystem(
            int vendor, int device, int subsystemVendor, int subsystem, Style style) {
        String name =
                NAMES.get(
                        "%04x:%04x:%04x:%04x"
                                .formatted(vendor, device, subsystemVendor, subsystem));
        if (name == null && vendor == subsystemVendor && device == subsystem) {
            name = NAMES.get("%04x:%04x".formatted(vendor, device));
        }
        return pair(subsystemVendor, subsystem, name, style);
    }

    private static String pair(int vendor, int device, @Nullable String name, Style style) {
        String maker = NAMES.get("%04x".formatted(vendor));
        String numbers = "%04x:%04x".formatted(vendor, device);
        return switch (style) {
            case NUMBERS -> numbers;
            case BOTH ->
                    (maker == null
                                    ? "Device"
                                    : name == null ? maker + " Device" : maker + " " + name)
                            + " ["
                            + numbers
                            + "]";
            case NAMES ->
                    maker == null
                            ? "Device " + numbers
                            : name == null
                                    ? "%s Device %04x".formatted(maker, device)
                                    : maker + " " + name;
        };
    }
}
