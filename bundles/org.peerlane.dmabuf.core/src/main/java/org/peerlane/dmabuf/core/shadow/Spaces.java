package org.peerlane.dmabuf.core.shadow;

import org.jspecify.annotations.Nullable;
import org.peerlane.bus.api.DmaAttributes;

/**
 * The trees by requester and address space. An address space is a PASID, none, or what the function
 * has translated itself.
 *
 * <p><b>Threads.</b> Immutable: who adds or removes makes another. <b>Cost.</b> Two loads.
 */
final class Spaces {
    static final Spaces NONE = new Spaces(2, 0);

    private static final int TRANSLATED = 1 << 21;

    /** Of twice as many places as there are trees, or more; by key, then the next free place. */
    private final long[] keys;

    private final @Nullable AddressTree[] trees;
    private final int count;

    private Spaces(int places, int count) {
        keys = new long[places];
        trees = new AddressTree[places];
        this.count = count;
    }

    /** {@return which tree a request is looked up in} */
    static long key(int requester, int attributes) {
        int space =
                (attributes & DmaAttributes.TRANSLATED) != 0
                        ? TRANSLATED
                        : DmaAttributes.pasid(attributes) + 1;
        return (long) requester << Integer.SIZE | space;
    }

    @Nullable AddressTree find(long key) {
        int mask = keys.length - 1;
        int at = place(key) & mask;
        while (true) {
            AddressTree tree = trees[at];
            if (tree == null || keys[at] == key) {
                return tree;
            }
            at = at + 1 & mask;
        }
    }

    private static int place(long key) {
        long mixed = key * 0x9E37_79B9_7F4A_7C15L;
        return (int) (mixed >>> 40);
    }

    /** {@return these and one more} */
    Spaces with(long key, AddressTree tree) {
        Spaces all = new Spaces(Integer.highestOneBit(2 * (count + 1)) << 1, count + 1);
        for (int i = 0; i < keys.length; i++) {
            AddressTree one = trees[i];
            if (one != null) {
                all.put(keys[i], one);
            }
        }
        all.put(key, tree);
        return all;
    }

    /** {@return these without the trees that are empty} */
    Spaces withoutEmpty() {
        Spaces all = NONE;
        for (int i = 0; i < keys.length; i++) {
            AddressTree one = trees[i];
            if (one != null && !one.isEmpty()) {
                all = all.with(keys[i], one);
            }
        }
        return all;
    }

    private void put(long key, AddressTree tree) {
        int mask = keys.length - 1;
        int at = place(key) & mask;
        while (trees[at] != null) {
            at = at + 1 & mask;
        }
        keys[at] = key;
        trees[at] = tree;
    }

    int count() {
        return count;
    }
}
