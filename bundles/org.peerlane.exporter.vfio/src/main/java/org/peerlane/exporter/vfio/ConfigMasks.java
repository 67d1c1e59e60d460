package org.peerlane.exporter.vfio;

import java.util.Arrays;

/**
 * For each byte of config space, which bits live in the virtual copy, and which ones user space may
 * change (VF-30). What nothing is said of is the hardware's, and can be written: unassigned space
 * is passed through (VF-32).
 */
final class ConfigMasks {
    private final byte[] virtual;
    private final byte[] writable;

    /**
     * Which capability a byte belongs to, as a number; accesses do not cross from one to another.
     */
    private final short[] owner;

    private short owners;

    ConfigMasks(int size) {
        virtual = new byte[size];
        writable = new byte[size];
        owner = new short[size];
        Arrays.fill(writable, (byte) 0xFF);
    }

    /** Something begins: read-only and the hardware's until {@link #set} says otherwise. */
    void owned(int offset, int bytes) {
        owners++;
        for (int at = offset; at < offset + bytes; at++) {
            virtual[at] = 0;
            writable[at] = 0;
            owner[at] = owners;
        }
    }

    /**
     * @param virtualBits which ones live in the virtual copy
     * @param writableBits which ones user space may change
     */
    void set(int offset, int bytes, long virtualBits, long writableBits) {
        for (int i = 0; i < bytes; i++) {
            virtual[offset + i] = (byte) (virtualBits >>> 8 * i);
            writable[offset + i] = (byte) (writableBits >>> 8 * i);
        }
    }

    boolean isOwned(int offset) {
        return owner[offset] != 0;
    }

    boolean isOneOwner(int offset, int bytes) {
        return owner[offset] == owner[offset + bytes - 1];
    }

    long virtual(int offset, int bytes) {
        return get(virtual, offset, bytes);
    }

    long writable(int offset, int bytes) {
        return get(writable, offset, bytes);
    }

    static long get(byte[] from, int offset, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | from[offset + i] & 0xFF;
        }
        return value;
    }

    static void put(byte[] into, int offset, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            into[offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
