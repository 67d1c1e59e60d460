package org.peerlane.dmabuf.core.check;

/** That every mapping of a buffer has been taken back: what a revoke waits for (RK-4). */
public interface Unmaps extends Awaited {}
