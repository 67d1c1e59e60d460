/**
 * Memory of GPUs. Start at {@link org.peerlane.gpu.api.Gpus}; a piece of memory that its driver
 * places, moves and shares is a {@link org.peerlane.gpu.api.GpuBuffer}.
 *
 * <p><b>Errors.</b> Calls throw {@link org.peerlane.kernel.api.ErrnoException}. <b>Units.</b>
 * Bytes.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.gpu.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
