package org.peerlane.exec.sim;

import java.util.ArrayList;
import java.util.List;
import org.peerlane.exec.api.LockObservation;
import org.peerlane.exec.api.LockObserver;
import org.peerlane.exec.api.NamedLock;

/** Who is told of the locks of one schedule. Telling is no switch point and takes no time. */
final class SimObservers {
    private List<LockObserver> observers = List.of();

    LockObservation observe(LockObserver observer) {
        List<LockObserver> more = new ArrayList<>(observers);
        more.add(observer);
        observers = List.copyOf(more);
        return () -> forget(observer);
    }

    @SuppressWarnings("ReferenceEquality") // the very observer
    private void forget(LockObserver observer) {
        observers = observers.stream().filter(other -> other != observer).toList();
    }

    void acquiring(NamedLock lock) {
        for (LockObserver observer : observers) {
            observer.acquiring(lock);
        }
    }

    void waiting(NamedLock lock) {
        for (LockObserver observer : observers) {
            observer.waiting(lock);
        }
    }

    void acquired(NamedLock lock) {
        for (LockObserver observer : observers) {
            observer.acquired(lock);
        }
    }

    void givenUp(NamedLock lock) {
        for (LockObserver observer : observers) {
            observer.givenUp(lock);
        }
    }

    void released(NamedLock lock) {
        for (LockObserver observer : observers) {
            observer.released(lock);
        }
    }
}
