/** What sharing costs. */
@NullMarked
package org.peerlane.tests.benchmarks.dmabuf;

import org.jspecify.annotations.NullMarked;
