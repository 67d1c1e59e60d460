package org.peerlane.dmabuf.core.resv;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceUsage;

/** Whether what takes the place of a fence in a list covers it (CK-23). */
final class Coverage {
    private Coverage() {}

    /** {@return what is wrong with one fence in the place of another, or null} */
    static @Nullable String replaced(
            String reservation, Fence old, FenceUsage under, Fence fence, FenceUsage usage) {
        if (old.equals(fence) && usage == under) {
            return null;
        }
        boolean weaker = !under.includes(usage);
        boolean earlier = old.context() == fence.context() && !FenceList.isSameOrLater(fence, old);
        if (!weaker && !earlier || old.isSignaled()) {
            return null;
        }
        return "%s has %s for %s replaced by %s for %s, which does not cover it: it is %s"
                .formatted(
                        reservation,
                        old,
                        under,
                        fence,
                        usage,
                        weaker ? "of a weaker class" : "earlier on its timeline");
    }

    /** {@return what is wrong with another list in the place of one with a fence, or null} */
    static @Nullable String lost(
            String reservation,
            Fence old,
            FenceUsage under,
            List<Fence> copied,
            List<FenceUsage> usages) {
        if (old.isSignaled()) {
            return null;
        }
        for (int i = 0; i < copied.size(); i++) {
            Fence fence = copied.get(i);
            if (fence.context() == old.context()
                    && under.includes(usages.get(i))
                    && FenceList.isSameOrLater(fence, old)) {
                return null;
            }
        }
        return "%s loses %s for %s, unsignaled, to a list without it"
                .formatted(reservation, old, under);
    }
}
