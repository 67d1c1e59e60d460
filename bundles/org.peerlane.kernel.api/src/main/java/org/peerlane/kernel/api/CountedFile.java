package org.peerlane.kernel.api;

/**
 * A file that counts its holders and does nothing else with them until the last has let go.
 *
 * <p><b>Life.</b> From one reference, its maker's, to the last {@link #put}. <b>Threads.</b> Any.
 */
public abstract class CountedFile implements OpenFile {
    private final RefCount references;

    /**
     * Makes one with one holder.
     *
     * @param what it is, for the message if a holder lets go twice
     */
    @SuppressWarnings("this-escape") // called when the last holder lets go: nobody is one yet
    protected CountedFile(String what) {
        references = new RefCount(what, this::released);
    }

    /** The last holder has let go, on its thread. */
    protected void released() {}

    @Override
    public final void get() {
        references.get();
    }

    @Override
    public final boolean getUnlessZero() {
        return references.getUnlessZero();
    }

    @Override
    public final void put() {
        references.put();
    }

    @Override
    public final int references() {
        return references.count();
    }
}
