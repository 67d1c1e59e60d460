/**
 * Threads, time, locks and checkpoints. No bundle of the platform makes a thread, reads a clock or
 * waits on its own; it asks {@link org.peerlane.exec.api.Execution}, so that the same code runs
 * live and under a simulation that owns every interleaving. Start there.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.exec.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
