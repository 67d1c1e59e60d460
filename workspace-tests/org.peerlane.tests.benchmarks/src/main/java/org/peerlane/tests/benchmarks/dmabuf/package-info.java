/** What sharing costs. Start at {@link FenceBenchmark}. */
@NullMarked
package org.peerlane.tests.benchmarks.dmabuf;

import org.jspecify.annotations.NullMarked;
