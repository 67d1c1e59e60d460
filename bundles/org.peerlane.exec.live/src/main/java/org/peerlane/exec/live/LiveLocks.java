package org.peerlane.exec.live;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;

/**
 * Makes the locks of every bundle: plain ones while nobody observes, and ones that tell while
 * somebody does. So a lock that was made before the first observer came is never seen.
 *
 * <p><b>Life.</b> Immediate: the observers must be the same for all bundles.
 */
@Component(service = LiveLocks.class, immediate = true)
public final class LiveLocks {
    private static final LockObserver[] NOBODY = {};

    private final AtomicReference<LockObserver[]> observers = new AtomicReference<>(NOBODY);

    /** Nobody observes yet. */
    @Activate
    public LiveLocks() {}

    NamedLock make(String name) {
        return observers().length == 0 ? new LiveLock(name) : new ObservedLock(name, this);
    }

    LockObserver[] observers() {
        return Objects.requireNonNull(observers.get());
    }

    LockObservation observe(LockObserver observer) {
        observers.updateAndGet(before -> {
            LockObserver[] after = Arrays.copyOf(before, before.length + 1);
            after[before.length] = observer;
            return after;
        });
        return () -> observers.updateAndGet(before -> without(before, observer));
    }

    @SuppressWarnings("ReferenceEquality") // the very observer
    private static LockObserver[] without(LockObserver[] before, LockObserver observer) {
        return Arrays.stream(before)
                .filter(other -> other != observer)
                .toArray(LockObserver[]::new);
    }
}
