package org.peerlane.bus.pcie;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.peerlane.bus.api.FunctionListener;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.bus.api.ResetKind;

/** Who is told of the ends of lives. <b>Threads.</b> Any; calls may go on after a removal. */
final class Listeners {
    private static final Logger LOG = LogManager.getLogger(Listeners.class);

    private final List<FunctionListener> all = new CopyOnWriteArrayList<>();

    void add(FunctionListener listener) {
        all.add(listener);
    }

    @SuppressWarnings("ReferenceEquality") // the service itself, whatever it is equal to
    void remove(FunctionListener listener) {
        all.removeIf(one -> one == listener);
    }

    void reset(PcieFunction function, ResetKind kind) {
        tell("reset", function, listener -> listener.reset(function, kind));
    }

    void gone(PcieFunction function) {
        tell("gone", function, listener -> listener.gone(function));
    }

    private void tell(String what, PcieFunction function, Consumer<FunctionListener> call) {
        for (FunctionListener listener : all) {
            try {
                call.accept(listener);
            } catch (RuntimeException | Error e) {
                LOG.error("{}: {} threw at {}", function.slot(), listener, what, e);
            }
        }
    }
}
