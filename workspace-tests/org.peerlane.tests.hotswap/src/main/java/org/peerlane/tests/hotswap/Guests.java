package org.peerlane.tests.hotswap;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;

/** Makes bundles out of the classes of package {@code guest}. */
final class Guests {
    private static final String FOLDER = "/org/peerlane/tests/hotswap/guest";

    private Guests() {}

    /** {@return a bundle of that name, started} */
    static Bundle start(
            BundleContext context, String name, Class<? extends BundleActivator> activator)
            throws IOException, BundleException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        put(main, "Bundle-ManifestVersion", "2");
        put(main, "Bundle-SymbolicName", name);
        put(main, "Bundle-Activator", activator.getName());
        put(
                main,
                "Import-Package",
                "org.osgi.framework,org.peerlane.dmabuf.api,org.peerlane.iommu.api,"
                        + "org.peerlane.bus.api,org.peerlane.memory.api,org.peerlane.kernel.api");
        var bytes = new ByteArrayOutputStream();
        Bundle tests = FrameworkUtil.getBundle(Guests.class);
        try (var jar = new JarOutputStream(bytes, manifest)) {
            for (URL entry : Collections.list(tests.findEntries(FOLDER, "*Guest.class", false))) {
                jar.putNextEntry(new JarEntry(entry.getPath().substring(1)));
                try (InputStream in = entry.openStream()) {
                    in.transferTo(jar);
                }
                jar.closeEntry();
            }
        }
        Bundle guest =
                context.installBundle(
                        "memory:" + name, new ByteArrayInputStream(bytes.toByteArray()));
        guest.start();
        return guest;
    }

    private static void put(Attributes attributes, String name, String value) {
        attributes.put(new Attributes.Name(name), value);
    }
}
