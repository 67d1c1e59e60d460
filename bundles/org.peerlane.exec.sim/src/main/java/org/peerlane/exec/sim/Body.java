package org.peerlane.exec.sim;

/** What a simulated thread runs. */
@FunctionalInterface
interface Body {
    void run() throws Throwable;
}
