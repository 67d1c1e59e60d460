/** What the parts of the DMA-BUF core cost. */
@NullMarked
package org.peerlane.tests.benchmarks.dmabuf;

import org.jspecify.annotations.NullMarked;
