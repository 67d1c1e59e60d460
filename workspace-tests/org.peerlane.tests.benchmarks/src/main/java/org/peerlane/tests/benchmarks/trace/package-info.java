/** What a tracepoint costs: nothing when nobody listens. */
@NullMarked
package org.peerlane.tests.benchmarks.trace;

import org.jspecify.annotations.NullMarked;
