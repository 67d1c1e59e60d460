package org.peerlane.bus.api;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * One function of a device, as silicon: registers that are read and written, and whatever it does
 * of its own.
 *
 * <p><b>Life.</b> {@link #reset} any number of times, {@link #close} once, last.
 *
 * <p><b>Threads.</b> Register accesses come from any thread, several at once; the model locks what
 * it must. They may hold no lock of the bus and must be short: a register write only rings, and an
 * engine thread of the device's own does the work and the DMA.
 *
 * <p><b>Errors.</b> A guest's mistake never throws: the model does what the hardware would, counts
 * it and traces it. What a model throws all the same is logged; the read answers all-ones, the
 * write is dropped.
 *
 * <p><b>Not here.</b> Config space, BAR registers and capabilities are the bus's, made from {@link
 * #layout}.
 */
@ConsumerType
public interface DeviceModel {
    /** {@return what the function looks like from outside; asked once, before anything else} */
    FunctionLayout layout();

    /**
     * A read of a register-like BAR, in memory or in I/O space, or of a ROM without content.
     *
     * @param bar index 0 to 5; {@link RomLayout#INDEX}: the expansion ROM
     * @param offset from the BAR's start, naturally aligned to the width
     * @param bytes 1, 2, 4 or, in memory, 8; wholly inside the BAR
     * @return the value, zero-extended; 0 where nothing is (PC-20)
     * @throws ReadFailure the device has no value: it refuses, is silent, or knows that its data is
     *     bad; not logged as a mistake
     */
    long read(int bar, long offset, int bytes);

    /**
     * A write of a register-like BAR, in memory or in I/O space.
     *
     * @param bar index 0 to 5
     * @param offset from the BAR's start, naturally aligned to the width
     * @param bytes 1, 2, 4 or, in memory, 8; wholly inside the BAR
     * @param value only the low {@code bytes} count
     */
    void write(int bar, long offset, int bytes, long value);

    /**
     * Puts the function into its reset state. The bus has seen to it that nothing which the
     * function began before reaches anybody any more (PC-62); the function stops its own work and
     * forgets it.
     */
    void reset(ResetKind kind);

    /** The function leaves the slot: stops its work, ends its threads, gives back what it holds. */
    void close();
}
