package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Version;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.kernel.api.Machine;

/** A jar that somebody puts into the plugins folder, replaces there, and takes out again. */
@DisplayName("The plugins folder")
class DropInTest {
    private static final String DEVICE = "org.peerlane.device.edu";

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    Machine machine;

    @InjectService(timeout = 20_000)
    PcieBus bus;

    private Bundle original;
    private byte[] jar;
    private Path plugins;

    @BeforeEach
    void stopTheOriginal() throws Exception {
        original = new Framework(context).bundle(DEVICE);
        jar = Files.readAllBytes(Repack.file(original));
        plugins = Path.of(context.getProperty("felix.fileinstall.dir"));
        Files.createDirectories(plugins);
        original.stop();
        assertThat(bus.functions()).isEmpty();
    }

    @AfterEach
    void startTheOriginal() throws Exception {
        Files.deleteIfExists(plugins.resolve("dropped.jar"));
        Await.until("the dropped bundle is gone", () -> dropped() == null);
        original.start();
        Await.until("the device is back", () -> bus.functions().size() == 1);
    }

    @Test
    void takesADeviceInReplacesItAndLetsItGo() throws Exception {
        put("7.0.0");
        Await.until("the device is on the bus", () -> bus.functions().size() == 1);

        put("8.0.0");
        Await.until(
                "the new version is on the bus", () -> version(8) && bus.functions().size() == 1);

        Files.delete(plugins.resolve("dropped.jar"));
        Await.until("the bundle is gone", () -> dropped() == null);
        assertThat(bus.functions()).isEmpty();
        assertThat(machine.isUp()).isTrue();
    }

    /** As the README asks: made beside the folder, moved in at once. */
    private void put(String version) throws Exception {
        Path beside =
                Files.write(
                        plugins.resolveSibling("dropped.jar.tmp"),
                        Repack.withVersion(jar, version));
        Files.move(beside, plugins.resolve("dropped.jar"), StandardCopyOption.ATOMIC_MOVE);
    }

    private boolean version(int major) {
        Bundle bundle = dropped();
        return bundle != null && bundle.getVersion().getMajor() == major;
    }

    private @Nullable Bundle dropped() {
        return Arrays.stream(context.getBundles())
                .filter(b -> DEVICE.equals(b.getSymbolicName()))
                .filter(b -> b.getVersion().compareTo(new Version(6, 0, 0)) > 0)
                .findFirst()
                .orElse(null);
    }
}
