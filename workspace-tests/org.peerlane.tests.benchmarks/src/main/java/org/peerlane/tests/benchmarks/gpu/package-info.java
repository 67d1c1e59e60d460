/** What a GPU's driver and its engine cost. */
@NullMarked
package org.peerlane.tests.benchmarks.gpu;

import org.jspecify.annotations.NullMarked;
