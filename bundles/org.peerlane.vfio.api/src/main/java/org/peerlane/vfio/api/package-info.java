/**
 * Functions of the bus that are handed to user space, one typed call for each call of a VFIO device
 * file. Start at {@link org.peerlane.vfio.api.Vfio}.
 *
 * <p><b>Errors.</b> Each call throws {@link org.peerlane.kernel.api.ErrnoException} with the errno
 * that the kernel answers; rules {@code VF-*} of the reference say which. <b>Units.</b> Bytes.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.vfio.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
