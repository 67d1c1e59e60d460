package org.peerlane.memory.core.space;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The windows onto one object: one shared arena at a time, which the first window makes and a zap
 * closes with all of them.
 *
 * <p>A window in a channel or a native call refuses to close. It is tried again for a second; then
 * the zap goes on, the users are logged by name, and the next close tries again.
 *
 * <p><b>Locks.</b> The object's, held for every call.
 */
final class Windows {
    private static final Logger LOG = LogManager.getLogger(Windows.class);
    private static final int TRIES = 1000;
    private static final long PAUSE_NANOS = 1_000_000;

    private final Hardware hardware;
    private final SharedObject object;
    private @Nullable Arena arena;
    private final Set<String> users = new LinkedHashSet<>();
    private final List<Arena> stuck = new ArrayList<>();
    private final Set<String> stuckUsers = new LinkedHashSet<>();

    Windows(Hardware hardware, SharedObject object) {
        this.hardware = hardware;
        this.object = object;
    }

    /** {@return whether a mapping may have a window that is open} */
    boolean has(Vma vma) {
        return arena != null && arena.equals(vma.windowArena());
    }

    /**
     * {@return a view of physical memory, open until the next {@link #close}; null: nobody is there
     * any more}
     */
    @SuppressWarnings("MustBeClosed") // close() does
    @Nullable MemorySegment open(
            Vma vma, Spans.Span span, long physical, long bytes, boolean write) {
        assert object.lock().isHeldByCurrentThread();
        MemorySegment segment = span.segment();
        Device device = span.device();
        if (segment == null || (device != null && !hardware.map.use(device, span, object))) {
            return null;
        }
        Arena open = arena;
        if (open == null) {
            open = Arena.ofShared();
            arena = open;
        }
        vma.windowArena(open);
        users.add(vma.space().name());
        MemorySegment view = view(segment, physical - span.first(), bytes, open);
        return write ? view : view.asReadOnly();
    }

    /** Not a slice: a slice would live as long as the region. */
    @SuppressWarnings("restricted")
    private static MemorySegment view(MemorySegment segment, long at, long bytes, Arena arena) {
        return segment.asSlice(at, bytes).reinterpret(arena, null);
    }

    /** Closes all. {@return whether all are closed} */
    boolean close() {
        assert object.lock().isHeldByCurrentThread();
        if (arena == null && stuck.isEmpty()) {
            return true;
        }
        if (arena != null) {
            stuck.add(arena);
            stuckUsers.addAll(users);
            arena = null;
            users.clear();
        }
        boolean interrupted = false;
        for (int i = 0; i < TRIES; i++) {
            stuck.removeIf(Windows::tryClose);
            if (stuck.isEmpty()) {
                stuckUsers.clear();
                break;
            }
            try {
                hardware.execution.sleep(PAUSE_NANOS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (!stuck.isEmpty()) {
            LOG.error(
                    "{}: a window of {} is in use by a channel or a native call and stays open",
                    object.name(),
                    stuckUsers);
        }
        return stuck.isEmpty();
    }

    private static boolean tryClose(Arena arena) {
        try {
            arena.close();
            return true;
        } catch (IllegalStateException inUse) {
            return false;
        }
    }

    /** {@return the processes whose windows could not be closed} */
    Set<String> stuck() {
        return Set.copyOf(stuckUsers);
    }
}
