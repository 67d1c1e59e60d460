package org.peerlane.bus.pcie;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.BarLayout;
import org.peerlane.bus.api.FunctionLayout;
import org.peerlane.bus.api.RomLayout;
import org.peerlane.bus.pcie.config.BarRegisters;
import org.peerlane.bus.pcie.config.FunctionConfig;

/**
 * The BARs and the ROM of one function: where they decode now, as config space says, and where the
 * enumerator has put them. Those of a virtual function follow from its physical one (PC-35).
 *
 * <p><b>Threads.</b> Any reads; {@link #follow} with the function's lock held, {@link #place} on
 * the life-cycle thread. What is published never changes.
 */
final class EndpointBars {
    private static final int BARS = Endpoint.BARS;
    private static final int ROM = BarRegisters.ROM;

    /** Number of the ROM's place, behind those of the virtual functions' BARs. */
    static final int ROM_PLACE = 2 * BARS;

    private final @Nullable BarLayout[] layouts = new BarLayout[BARS];

    /** Of the function that has made this one; null: it is no virtual one. */
    private final @Nullable EndpointBars physical;

    /** Number of a virtual function, from 1. */
    private final int vf;

    /** Guarded by the function's lock. */
    private final long[] scratch = new long[BarRegisters.ROM + 1];

    private final @Nullable RomLayout rom;

    /** Where memory BARs and the ROM decode; 0: not. */
    private volatile long[] decoding = new long[ROM + 1];

    /** Where I/O BARs decode; 0: not. */
    private volatile long[] ports = new long[BARS];

    /** Bytes of the BARs and of the ROM; a resizable one may change. */
    private volatile long[] sizes = new long[ROM + 1];

    /**
     * Where the enumerator has put the memory BARs, those of the virtual functions, and the ROM; 0:
     * nowhere.
     */
    private volatile long[] places = new long[ROM_PLACE + 1];

    /** Where it has put the I/O BARs; 0: nowhere. */
    private volatile long[] portPlaces = new long[BARS];

    EndpointBars(FunctionLayout layout, @Nullable EndpointBars physical, int vf) {
        this.physical = physical;
        this.vf = vf;
        rom = physical == null ? layout.rom() : null;
        layout.bars().forEach(bar -> layouts[bar.index()] = bar);
    }

    /** {@return by index: the BAR, or null; not to be changed} */
    @Nullable BarLayout[] layouts() {
        return layouts;
    }

    /** {@return where a BAR decodes, as a bus address; 0: not} */
    long base(int bar) {
        return decoding[bar];
    }

    long bytes(int bar) {
        return sizes[bar];
    }

    /** {@return which BAR decodes a port of I/O space, or -1} */
    int portBar(long port) {
        long[] now = ports;
        for (int bar = 0; bar < BARS; bar++) {
            if (now[bar] != 0 && port >= now[bar] && port - now[bar] < sizes[bar]) {
                return bar;
            }
        }
        return -1;
    }

    /** {@return where an I/O BAR decodes; 0: not} */
    long portBase(int bar) {
        return ports[bar];
    }

    /** {@return the ROM, or null} */
    @Nullable RomLayout rom() {
        return rom;
    }

    /** {@return what is behind a BAR that behaves like memory, or null} */
    @Nullable MemorySegment memory(int bar) {
        BarLayout behind = bar == ROM ? null : layouts[bar]; // nobody writes to a ROM
        return behind == null ? null : behind.memory();
    }

    /** {@return whether there is a memory BAR of that index, and it has an address} */
    boolean isPlaced(int index) {
        BarLayout bar = index < 0 || index >= BARS ? null : layouts[index];
        return bar != null && !bar.io() && placeOf(index) != 0;
    }

    /**
     * {@return where the enumerator has put a memory BAR or the ROM, as a bus address; 0: nowhere}
     */
    long placeOf(int index) {
        if (physical == null || index == ROM) {
            return places[index == ROM ? ROM_PLACE : index];
        }
        long first = physical.places[BARS + index];
        return first == 0 ? 0 : first + (vf - 1) * sizes[index];
    }

    /**
     * Says where the enumerator has put a BAR; from {@link Endpoint#BARS} on, the virtual ones'.
     */
    void place(int index, long base) {
        long[] now = places.clone();
        now[index] = base;
        places = now;
    }

    /** Says where the enumerator has put an I/O BAR. */
    void placePorts(int index, long base) {
        long[] now = portPlaces.clone();
        now[index] = base;
        portPlaces = now;
    }

    /** {@return where the enumerator has put an I/O BAR; 0: nowhere} */
    long portsOf(int index) {
        return portPlaces[index];
    }

    /**
     * Takes over what config space says.
     *
     * @param answers the function is there and not in reset
     * @param virtual what the physical function says of its virtual ones
     * @return whether a BAR decodes elsewhere now
     */
    boolean follow(FunctionConfig config, boolean answers, VirtualState virtual) {
        config.bases(scratch);
        long[] now = new long[ROM + 1];
        long[] io = new long[BARS];
        long[] bytes = new long[ROM + 1];
        for (int i = 0; i < BARS; i++) {
            BarLayout bar = layouts[i];
            boolean mine = physical == null;
            long base = mine ? scratch[i] : config.awake() ? virtual.base(vf, i) : 0;
            boolean decodes = answers && bar != null;
            now[i] = decodes && !bar.io() ? base : 0;
            io[i] = decodes && bar.io() ? base : 0;
            bytes[i] = mine ? config.bars().bytes(i) : virtual.barBytes(i);
        }
        if (rom != null) {
            now[ROM] = answers ? scratch[ROM] : 0;
            bytes[ROM] = rom.bytes();
        }
        ports = io;
        boolean moved = !Arrays.equals(now, decoding) || !Arrays.equals(bytes, sizes);
        if (moved) {
            sizes = bytes;
            decoding = now;
        }
        return moved;
    }
}
