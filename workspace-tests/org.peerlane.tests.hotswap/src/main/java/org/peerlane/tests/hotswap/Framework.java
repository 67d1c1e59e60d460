package org.peerlane.tests.hotswap;

import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;

/** The framework that the tests run in. */
record Framework(BundleContext context) {
    /** {@return the bundle of that name, which is installed} */
    Bundle bundle(String name) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> name.equals(bundle.getSymbolicName()))
                .findFirst()
                .orElseThrow();
    }

    /** {@return a service, as soon as there is one} */
    <T> T service(Class<T> type) throws Exception {
        Await.until("a " + type, () -> context.getServiceReference(type) != null);
        ServiceReference<T> reference = Objects.requireNonNull(context.getServiceReference(type));
        return Objects.requireNonNull(context.getService(reference));
    }

    /** Reads the bundle's file again; when this returns it runs on new classes. */
    void update(Bundle bundle) throws BundleException, InterruptedException {
        bundle.update();
        refresh(bundle);
    }

    /** Whoever uses the bundle's old classes lets go of them. */
    void refresh(Bundle bundle) throws InterruptedException {
        CountDownLatch refreshed = new CountDownLatch(1);
        context.getBundle(0)
                .adapt(FrameworkWiring.class)
                .refreshBundles(List.of(bundle), _ -> refreshed.countDown());
        refreshed.await();
    }

    /** {@return the classes that the bundle runs on now} */
    static WeakReference<ClassLoader> code(Bundle bundle) {
        return new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader());
    }

    /** Nobody holds anything of a bundle that has gone, or fails. */
    static void isCollected(WeakReference<ClassLoader> code) throws Exception {
        Await.until(
                "its classes are gone",
                () -> {
                    System.gc();
                    return code.get() == null;
                });
    }
}
