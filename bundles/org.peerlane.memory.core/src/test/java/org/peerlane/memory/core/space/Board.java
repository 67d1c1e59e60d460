package org.peerlane.memory.core.space;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.peerlane.exec.api.Execution;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.memory.api.AddressSpace;
import org.peerlane.memory.api.BusError;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.MemoryRegion;
import org.peerlane.memory.api.SegmentationFault;
import org.peerlane.memory.core.SparseMemory;

/** RAM and address spaces; closing it checks that no page has leaked. */
final class Board implements AutoCloseable {
    static final int READ_WRITE = AddressSpace.PROT_READ | AddressSpace.PROT_WRITE;
    static final int ANONYMOUS = AddressSpace.MAP_PRIVATE | AddressSpace.MAP_ANONYMOUS;
    static final long PAGE = 4096;

    final Execution execution;
    final SparseMemory memory;
    final ProcessSpaces spaces;

    Board(Execution execution, int mib) {
        this.execution = execution;
        memory = new SparseMemory(execution, mib, List.of());
        spaces = new ProcessSpaces(execution, memory);
    }

    static CpuMapping anonymous(AddressSpace space, long pages) {
        return space.map(0, pages * PAGE, READ_WRITE, ANONYMOUS, null, 0);
    }

    long used() {
        return memory.pages().totalPages() - memory.pages().freePages();
    }

    long peek(long physical) {
        MemoryRegion region = Objects.requireNonNull(memory.find(physical));
        return region.segment().get(JAVA_LONG, physical - region.range().first().value());
    }

    void poke(long physical, long value) {
        MemoryRegion region = Objects.requireNonNull(memory.find(physical));
        region.segment().set(JAVA_LONG, physical - region.range().first().value(), value);
    }

    static MemorySegment bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return MemorySegment.ofArray(bytes);
    }

    static void expect(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    static void expectSegv(long address, ThrowingCallable call) {
        assertThatExceptionOfType(SegmentationFault.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.address()).isEqualTo(address));
    }

    static void expectBus(long address, ThrowingCallable call) {
        assertThatExceptionOfType(BusError.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.address()).isEqualTo(address));
    }

    @Override
    public void close() {
        spaces.close();
        long leaked = used();
        memory.close();
        assertThat(leaked).as("pages leaked").isZero();
    }
}
