package org.peerlane.dmabuf.core.fence;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;

/**
 * How often a fence is held. It is made with one reference, its issuer's; when the last holder lets
 * go it is freed, and nobody can take hold of it again.
 *
 * <p><b>Cost.</b> A count of its own, not a {@code RefCount}: it saves an object per fence.
 */
abstract class HeldFence extends SignalQueue {
    private static final VarHandle REFERENCES;

    static {
        try {
            REFERENCES =
                    MethodHandles.lookup().findVarHandle(HeldFence.class, "references", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile int references;

    HeldFence() {
        REFERENCES.set(this, 1); // nobody else knows it yet
    }

    /** The last holder has let go. */
    abstract void free();

    /** {@return what to throw at a caller who must not do that; it has been reported} */
    abstract IllegalStateException misuse(String rule, String what);

    @Override
    public final Fence get() {
        if (!take()) {
            throw misuse("CK-36", "was taken hold of after the last holder had let go");
        }
        return this;
    }

    @Override
    public final @Nullable Fence getUnlessZero() {
        return take() ? this : null;
    }

    private boolean take() {
        while (true) {
            int seen = references;
            if (seen == 0) {
                return false;
            }
            environment().beforeRevive.reached();
            if (REFERENCES.compareAndSet(this, seen, seen + 1)) {
                return true;
            }
        }
    }

    /** {@return how many hold it; out of date as soon as it is read} */
    public final int references() {
        return references;
    }

    @Override
    public final void put() {
        int before = (int) REFERENCES.getAndAdd(this, -1);
        if (before == 1) {
            free();
        } else if (before <= 0) {
            REFERENCES.getAndAdd(this, 1);
            throw misuse("CK-36", "was let go of once more than it was held");
        }
    }
}
