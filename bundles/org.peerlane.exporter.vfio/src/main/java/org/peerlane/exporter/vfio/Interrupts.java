package org.peerlane.exporter.vfio;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.InterruptKind;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.vfio.api.IrqInfo;
import org.peerlane.vfio.api.IrqSet;
import org.peerlane.vfio.api.VfioFile;

/**
 * A function's interrupts, by eventfd (VF-60 to VF-65): checks what is asked for, and hands it to
 * the kind that it is about. Of line, MSI and MSI-X one at a time is active.
 *
 * <p><b>Locks.</b> {@code vfio.irq} around each call, inside of {@code vfio.memory} if both are
 * held; handlers take none of ours.
 */
final class Interrupts {
    private static final int DATA = IrqSet.NONE | IrqSet.BOOL | IrqSet.EVENTFD;
    private static final int ACTIONS = IrqSet.MASK | IrqSet.UNMASK | IrqSet.TRIGGER;

    private final PcieFunction function;
    private final boolean isExpress;
    private final NamedLock lock;
    private final Line line;
    private final Messages msi;
    private final Messages msiX;
    private final Notice error;
    private final Notice request;

    Interrupts(Surroundings surroundings, PcieFunction function, VirtualConfig config) {
        this.function = function;
        isExpress = config.place(Capability.EXPRESS) != 0;
        lock = surroundings.execution.lock("vfio.irq");
        line = new Line(surroundings, function);
        msi = new Messages(function, InterruptKind.MSI);
        msiX = new Messages(function, InterruptKind.MSIX);
        error = new Notice();
        request = new Notice();
    }

    IrqInfo info(int index) {
        return switch (index) {
            case IrqInfo.INTX ->
                    new IrqInfo(
                            index,
                            IrqInfo.EVENTFD | IrqInfo.MASKABLE | IrqInfo.AUTOMASKED,
                            function.vectors(InterruptKind.INTX));
            case IrqInfo.MSI ->
                    new IrqInfo(
                            index,
                            IrqInfo.EVENTFD | IrqInfo.NORESIZE,
                            function.vectors(InterruptKind.MSI));
            case IrqInfo.MSIX ->
                    new IrqInfo(index, IrqInfo.EVENTFD, function.vectors(InterruptKind.MSIX));
            case IrqInfo.ERR, IrqInfo.REQ -> {
                if (index == IrqInfo.ERR && !isExpress) {
                    throw bad("%s has no errors to report without PCIe".formatted(function.slot()));
                }
                yield new IrqInfo(index, IrqInfo.EVENTFD | IrqInfo.NORESIZE, 1);
            }
            default ->
                    throw bad(
                            "interrupts of kind %d; expected 0 to %d"
                                    .formatted(index, VfioFile.IRQS - 1));
        };
    }

    int set(IrqSet wanted) {
        int data = wanted.flags() & DATA;
        int action = wanted.flags() & ACTIONS;
        if ((wanted.flags() & ~(DATA | ACTIONS)) != 0 || Integer.bitCount(data) != 1) {
            throw bad("flags 0x%x; expected one kind of data".formatted(wanted.flags()));
        }
        int count = info(wanted.index()).count();
        if (wanted.start() < 0
                || wanted.count() < 0
                || wanted.start() >= count
                || wanted.count() > count - wanted.start()) {
            throw bad(
                    "%d vectors from %d on; there are %d"
                            .formatted(wanted.count(), wanted.start(), count));
        }
        int given = data == IrqSet.BOOL ? wanted.bools().size() : wanted.events().size();
        if (data != IrqSet.NONE && given < wanted.count()) {
            throw bad("data for %d vectors, and %d are meant".formatted(given, wanted.count()));
        }
        lock.lock();
        try {
            return switch (wanted.index()) {
                case IrqInfo.INTX -> line(wanted, action);
                case IrqInfo.MSI -> messages(msi, wanted, action);
                case IrqInfo.MSIX -> messages(msiX, wanted, action);
                default -> notice(wanted.index() == IrqInfo.ERR ? error : request, wanted, action);
            };
        } finally {
            lock.unlock();
        }
    }

    private int line(IrqSet wanted, int action) {
        if (action == IrqSet.TRIGGER && isAll(wanted) && line.isActive()) {
            line.disable();
            return 0;
        }
        if (wanted.start() != 0 || wanted.count() != 1) {
            throw bad("the line is one vector");
        }
        boolean meant = (wanted.flags() & IrqSet.BOOL) == 0 || wanted.bools().getFirst();
        boolean event = (wanted.flags() & IrqSet.EVENTFD) != 0;
        switch (action) {
            case IrqSet.TRIGGER -> {
                if (event) {
                    refuseOthers(line.isActive() ? InterruptKind.INTX : null, InterruptKind.INTX);
                    line.enable(wanted.events().getFirst());
                } else {
                    line.requireActive();
                    if (meant) {
                        line.trigger();
                    }
                }
            }
            case IrqSet.MASK -> {
                line.requireActive();
                if (event) {
                    throw none("MASK by eventfd");
                }
                if (meant) {
                    line.mask();
                }
            }
            case IrqSet.UNMASK -> {
                line.requireActive();
                if (event) {
                    line.unmaskBy(wanted.events().getFirst());
                } else if (meant) {
                    line.unmask();
                }
            }
            default -> throw none("action 0x%x".formatted(action));
        }
        return 0;
    }

    private int messages(Messages messages, IrqSet wanted, int action) {
        if (action != IrqSet.TRIGGER) {
            throw none("action 0x%x of messages".formatted(action));
        }
        if ((wanted.flags() & IrqSet.EVENTFD) == 0) {
            messages.requireActive();
            if (isAll(wanted)) {
                messages.disable();
                return 0;
            }
            messages.trigger(wanted);
            return 0;
        }
        refuseOthers(messages.isActive() ? messages.kind() : null, messages.kind());
        return messages.enable(wanted);
    }

    private int notice(Notice notice, IrqSet wanted, int action) {
        if (action != IrqSet.TRIGGER) {
            throw none("action 0x%x of a notice".formatted(action));
        }
        if ((wanted.flags() & IrqSet.NONE) != 0) {
            boolean heard = wanted.count() == 0 ? notice.clear() : notice.signal();
            if (!heard) {
                throw bad("nobody listens to that");
            }
        } else if (wanted.count() == 0) {
            throw bad("data for nothing; expected one vector");
        } else if ((wanted.flags() & IrqSet.EVENTFD) != 0) {
            notice.set(wanted.events().getFirst());
        } else if (wanted.bools().getFirst()) {
            notice.signal();
        }
        return 0;
    }

    private static boolean isAll(IrqSet wanted) {
        return (wanted.flags() & IrqSet.NONE) != 0 && wanted.count() == 0;
    }

    /** Of the three, one at a time (VF-62). */
    private void refuseOthers(@Nullable InterruptKind active, InterruptKind wanted) {
        if (active == null && (line.isActive() || msi.isActive() || msiX.isActive())) {
            throw bad(
                    "%s is asked for %s while another kind is active"
                            .formatted(function.slot(), wanted));
        }
    }

    /** {@return how many bits number the MSI vectors set up; -1: MSI is not active (VF-39)} */
    int msiQueue() {
        lock.lock();
        try {
            return msi.isActive() ? 32 - Integer.numberOfLeadingZeros(msi.enabled() - 1) : -1;
        } finally {
            lock.unlock();
        }
    }

    /** User space has written whether INTx is disabled (VF-36). */
    void disabledByCommand(boolean disabled) {
        lock.lock();
        try {
            line.disabledByCommand(disabled);
        } finally {
            lock.unlock();
        }
    }

    /** A reset has cleared what the function was told. */
    void afterReset() {
        lock.lock();
        try {
            line.afterReset();
        } finally {
            lock.unlock();
        }
    }

    /** The bus has been told of an error that nothing corrects (VF-60). */
    void errorDetected() {
        error.signal();
    }

    /** The function is wanted back. */
    void request() {
        request.signal();
    }

    /** The function is closed. */
    void close() {
        lock.lock();
        try {
            line.disable();
            msi.disable();
            msiX.disable();
            error.set(null);
            request.set(null);
        } finally {
            lock.unlock();
        }
    }

    static ErrnoException bad(String what) {
        return new ErrnoException(Errno.EINVAL, what);
    }

    private static ErrnoException none(String what) {
        return new ErrnoException(Errno.ENOTTY, "there is no " + what);
    }
}
