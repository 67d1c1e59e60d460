package org.peerlane.dmabuf.core.fence;

import org.peerlane.dmabuf.api.Fence;
import org.peerlane.dmabuf.api.FenceOperations;

/**
 * Which operations a class has of its own: what it inherits does nothing and need not be called.
 * Kept with the class, so it goes when the class goes.
 */
final class OperationsTraits {
    private static final ClassValue<OperationsTraits> OF =
            new ClassValue<>() {
                @Override
                protected OperationsTraits computeValue(Class<?> type) {
                    return new OperationsTraits(type);
                }
            };

    final boolean enables;
    final boolean polls;
    final boolean releases;
    final boolean waits;

    private OperationsTraits(Class<?> type) {
        enables = has(type, "enableSignaling");
        polls = has(type, "signaled");
        releases = FenceOperations.Releasing.class.isAssignableFrom(type);
        waits = FenceOperations.Waiting.class.isAssignableFrom(type);
    }

    private static boolean has(Class<?> type, String operation) {
        try {
            return type.getMethod(operation, Fence.class).getDeclaringClass()
                    != FenceOperations.class;
        } catch (NoSuchMethodException e) {
            return true;
        }
    }

    static OperationsTraits of(FenceOperations operations) {
        return OF.get(operations.getClass());
    }

    /** {@return whether the fence needs its issuer after it has signaled (FE-12)} */
    boolean needed() {
        return releases || waits;
    }
}
