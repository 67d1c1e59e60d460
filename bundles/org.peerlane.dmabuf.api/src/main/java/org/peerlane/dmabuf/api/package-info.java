/**
 * What an exporter offers, what an importer may do with it, and how the two agree on when. Start at
 * {@link org.peerlane.dmabuf.api.DmaBuf}; whoever takes part asks for the service {@link
 * org.peerlane.dmabuf.api.DmaBufs}.
 *
 * <p><b>Locks.</b> Each buffer has one {@link org.peerlane.dmabuf.api.Reservation}. Each method
 * says what its caller must do about it: {@code [held]} hold it, {@code [free]} not hold it. Who
 * breaks that is reported by rule, see {@link org.peerlane.dmabuf.api.Violation}.
 *
 * <p><b>Errors.</b> What the kernel answers with an errno throws {@link
 * org.peerlane.kernel.api.ErrnoException}. What it answers with a warning is a reported violation,
 * and an exception besides where the kernel would have returned an error.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.dmabuf.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
