package org.peerlane.memory.core.space;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.memory.api.CpuMapping;
import org.peerlane.memory.api.Fault;
import org.peerlane.memory.api.FaultResult;
import org.peerlane.memory.api.Mappable;
import org.peerlane.memory.api.MappableKind;
import org.peerlane.memory.api.MappingOperations;

/** Maps pages of RAM on demand, under a lock of its own, and notes what it is asked. */
final class Exporter implements MappingOperations, AutoCloseable {
    final Board board;
    final Mappable object;
    final List<String> calls = new ArrayList<>();

    /** Guarded by lock: the pages in order, and whether anybody may touch them. */
    final long[] pages;

    boolean allowed = true;
    boolean writable = true;
    private final NamedLock lock;

    Exporter(Board board, MappableKind kind, int count) {
        this.board = board;
        lock = board.execution.lock("test.exporter");
        pages = new long[count];
        for (int i = 0; i < count; i++) {
            pages[i] = board.spaces.pages().allocate();
        }
        object = board.spaces.object("exporter", kind, this);
    }

    CpuMapping map(ProcessSpace space, int protection) {
        return space.map(
                0, pages.length * Board.PAGE, protection, ProcessSpace.MAP_SHARED, object, 0);
    }

    private void note(String what, @Nullable CpuMapping mapping) {
        String where =
                mapping == null
                        ? ""
                        : " %d+%d"
                                .formatted(
                                        mapping.offset() / Board.PAGE,
                                        mapping.bytes() / Board.PAGE);
        calls.add(what + where);
    }

    @Override
    public void mapped(CpuMapping mapping) {
        note("mapped", mapping);
    }

    @Override
    public void open(CpuMapping mapping) {
        note("open", mapping);
    }

    @Override
    public void close(CpuMapping mapping) {
        note("close", null);
    }

    @Override
    public FaultResult fault(Fault fault) {
        lock.lock();
        try {
            calls.add("fault %d".formatted(fault.offset() / Board.PAGE));
            int page = (int) (fault.offset() / Board.PAGE);
            if (!allowed || page >= pages.length) {
                return FaultResult.BUS_ERROR;
            }
            fault.insert(fault.address(), pages[page], Board.PAGE, writable || fault.isWrite());
            return FaultResult.DONE;
        } finally {
            lock.unlock();
        }
    }

    void revoke() {
        lock.lock();
        try {
            allowed = false;
            object.unmapRange(0, Long.MAX_VALUE);
        } finally {
            lock.unlock();
        }
    }

    void restore() {
        lock.lock();
        try {
            allowed = true;
        } finally {
            lock.unlock();
        }
    }

    /** Lets its pages go; the last who maps or pins one frees it. */
    @Override
    public void close() {
        object.retire();
        for (long page : pages) {
            board.spaces.pages().put(page);
        }
    }
}
