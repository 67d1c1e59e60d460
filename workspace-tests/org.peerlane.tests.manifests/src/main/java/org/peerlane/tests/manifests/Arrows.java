package org.peerlane.tests.manifests;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which bundle may import which. Names are without {@code org.peerlane.}; a new bundle of a new
 * kind is given its role here.
 *
 * <pre>
 * kernel.api &lt;- exec.api, trace.api &lt;- memory.api, registers &lt;- bus.api &lt;- iommu.api &lt;- dmabuf.api &lt;- block.api
 * </pre>
 *
 * An api imports apis to its left. Cores and plugins import apis and {@code registers}; nobody
 * imports a core, a plugin or the test kit.
 */
final class Arrows {
    static final String PREFIX = "org.peerlane.";

    /** From left to right. */
    static final List<String> APIS =
            List.of(
                    "kernel.api",
                    "exec.api",
                    "trace.api",
                    "memory.api",
                    "registers",
                    "bus.api",
                    "iommu.api",
                    "dmabuf.api",
                    "vfio.api",
                    "gpu.api",
                    "block.api");

    static final Set<String> CORES =
            Set.of(
                    "exec.live",
                    "exec.sim",
                    "memory.core",
                    "bus.pcie",
                    "iommu.core",
                    "dmabuf.core",
                    "block.core",
                    "board");

    private static final Set<String> PLUGINS = Set.of("shell", "log", "faults");
    private static final List<String> PLUGIN_KINDS =
            List.of("exporter.", "importer.", "device.", "driver.", "trace.");

    /**
     * The test kit runs a test's body under simulation. It does so on the plain class path only, so
     * its manifest must not insist on it.
     */
    private static final String TESTKIT = "testkit";

    private static final String TESTKIT_RUNS_UNDER = "exec.sim";

    /** What a bundle is in the arrows. */
    enum Role {
        API,
        CORE,
        PLUGIN,
        TESTKIT
    }

    private Arrows() {}

    /** {@return the role of a bundle, null if it has none} */
    static @Nullable Role role(String bundle) {
        String name = shortened(bundle);
        if (APIS.contains(name)) {
            return Role.API;
        }
        if (CORES.contains(name)) {
            return Role.CORE;
        }
        if (name.equals(TESTKIT) || name.startsWith(TESTKIT + ".")) {
            return Role.TESTKIT;
        }
        return PLUGINS.contains(name) || PLUGIN_KINDS.stream().anyMatch(name::startsWith)
                ? Role.PLUGIN
                : null;
    }

    /** {@return whether a bundle has an exported package, which is then its only one} */
    static boolean exports(Role role) {
        return role == Role.API || role == Role.TESTKIT;
    }

    /**
     * Says what an import breaks.
     *
     * @param optional the importer can do without
     * @return the arrow broken, null if none is
     */
    static @Nullable String broken(String importer, String imported, boolean optional) {
        Role of = role(importer);
        Role to = role(imported);
        if (of == null || to == null) {
            return (of == null ? importer : imported)
                    + " has no role: give it one in Arrows.java of org.peerlane.tests.manifests";
        }
        if (of == Role.TESTKIT && shortened(imported).equals(TESTKIT_RUNS_UNDER)) {
            return optional ? null : "the test kit must be able to do without " + imported;
        }
        return switch (to) {
            case CORE -> "a core is met as a service, nobody imports it";
            case PLUGIN -> "a plugin is met as a service or on the bus, nobody imports it";
            case TESTKIT -> "the test kit is for tests, no bundle imports it";
            case API -> {
                int from = APIS.indexOf(shortened(importer));
                int target = APIS.indexOf(shortened(imported));
                yield of != Role.API || target < from
                        ? null
                        : "an api imports only what is to its left in " + String.join(" <- ", APIS);
            }
        };
    }

    private static String shortened(String bundle) {
        return bundle.startsWith(PREFIX) ? bundle.substring(PREFIX.length()) : bundle;
    }
}
