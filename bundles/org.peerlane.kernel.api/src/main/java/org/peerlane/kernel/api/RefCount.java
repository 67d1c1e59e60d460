package org.peerlane.kernel.api;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How many hold an object; the last put releases it, once. Kernel counterpart: {@code struct kref}.
 *
 * <p><b>Life.</b> Starts at 1, the maker's own. At 0 it stays for good: {@link #getUnlessZero} says
 * no from then on and everything else is a mistake of ours, which throws.
 *
 * <p><b>Threads.</b> Any, without a lock. The release runs on the thread of the last put.
 */
public final class RefCount {
    private static final VarHandle COUNT;

    static {
        try {
            COUNT = MethodHandles.lookup().findVarHandle(RefCount.class, "count", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String what;
    private final Runnable release;

    @SuppressWarnings("unused") // through COUNT
    private volatile int count = 1;

    /**
     * @param what names the object in messages
     * @param release run by the last {@link #put}
     */
    public RefCount(String what, Runnable release) {
        this.what = what;
        this.release = release;
    }

    /** {@return how many hold the object now; out of date as soon as it is read} */
    public int count() {
        return (int) COUNT.getVolatile(this);
    }

    /**
     * One more holder. The caller knows that somebody holds it.
     *
     * @throws IllegalStateException nobody does
     */
    public void get() {
        if (!getUnlessZero()) {
            throw new IllegalStateException("get of " + what + ", which has been released");
        }
    }

    /** {@return whether there is one more holder now; false if the object has been released} */
    public boolean getUnlessZero() {
        int seen = count();
        while (seen != 0) {
            int before = (int) COUNT.compareAndExchange(this, seen, seen + 1);
            if (before == seen) {
                return true;
            }
            seen = before;
        }
        return false;
    }

    /**
     * One holder less.
     *
     * @return whether this was the last one and the object has been released
     * @throws IllegalStateException there was none left
     */
    public boolean put() {
        int before = count();
        while (true) {
            if (before == 0) {
                throw new IllegalStateException("put of " + what + ", which has been released");
            }
            int seen = (int) COUNT.compareAndExchange(this, before, before - 1);
            if (seen == before) {
                break;
            }
            before = seen;
        }
        if (before == 1) {
            release.run();
            return true;
        }
        return false;
    }

    /**
     * One holder less, unless it is the last: whoever may not run the release now has somebody else
     * {@link #put} then.
     *
     * @return whether it is done
     * @throws IllegalStateException there was none left
     */
    public boolean putUnlessLast() {
        int before = count();
        while (before > 1) {
            int seen = (int) COUNT.compareAndExchange(this, before, before - 1);
            if (seen == before) {
                return true;
            }
            before = seen;
        }
        if (before == 0) {
            throw new IllegalStateException("put of " + what + ", which has been released");
        }
        return false;
    }
}
