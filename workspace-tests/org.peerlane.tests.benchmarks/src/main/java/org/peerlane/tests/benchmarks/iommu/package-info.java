/** What translation costs, and what changing it costs. Start at {@link TranslationBenchmark}. */
@NullMarked
package org.peerlane.tests.benchmarks.iommu;

import org.jspecify.annotations.NullMarked;
