package org.peerlane.dmabuf.core.fence;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.peerlane.dmabuf.api.Fence;

/** What is inside containers, and flat containers made of it (FE-22). */
final class FenceMerge {
    private FenceMerge() {}

    /** Shows each leaf; it has a reference while it is shown. */
    static void unwrap(Fence fence, Consumer<Fence> visitor) {
        if (fence instanceof ArrayFence array) {
            for (Fence member : array.members) {
                unwrap(member, visitor);
            }
        } else if (fence instanceof ChainFence) {
            for (Fence at = fence.get(); at != null; at = ChainFence.walk(at)) {
                unwrap(ChainFence.contained(at), visitor);
            }
        } else {
            visitor.accept(fence);
        }
    }

    /** {@code Fences.merge}. */
    @SuppressWarnings("ReferenceEquality") // the very fence
    static Fence merge(CoreFences maker, List<Fence> fences) {
        Map<Long, Fence> latest = new LinkedHashMap<>();
        long[] time = {0};
        for (Fence fence : fences) {
            unwrap(
                    fence,
                    leaf -> {
                        if (leaf.isSignaled()) {
                            time[0] = later(time[0], leaf.timestamp());
                            return;
                        }
                        Fence other = latest.putIfAbsent(leaf.context(), leaf);
                        if (other == null) {
                            leaf.get();
                        } else if (leaf != other && maker.isLater(leaf, other)) {
                            latest.put(leaf.context(), leaf.get());
                            other.put();
                        }
                    });
        }
        if (latest.isEmpty()) {
            return maker.environment.signaledAt(time[0]);
        }
        List<Fence> members = new ArrayList<>(latest.values());
        if (members.size() == 1) {
            return members.get(0);
        }
        return ArrayFence.of(maker, members, maker.environment.allocateContexts(1), 1, false);
    }

    private static long later(long a, long b) {
        return a == 0 || b - a > 0 ? b : a;
    }

    /** Others can see a fence from now on, if it is one of ours. */
    static void published(Fence fence) {
        if (fence instanceof CoreFence ours) {
            ours.published();
        }
    }
}
