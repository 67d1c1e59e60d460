/**
 * For those who write exporters and importers: {@link org.peerlane.testkit.dmabuf.MockExporter} and
 * {@link org.peerlane.testkit.dmabuf.MockImporter} stand on the other side and do what a test tells
 * them; {@link org.peerlane.testkit.dmabuf.ExporterContract} and {@link
 * org.peerlane.testkit.dmabuf.ImporterContract} check what everybody relies on.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.testkit.dmabuf;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
