/**
 * Code of bundles that come and go: copied into jars of their own, so that each has its own class
 * loader. They give nothing back when they are stopped.
 */
@NullMarked
package org.peerlane.tests.hotswap.guest;

import org.jspecify.annotations.NullMarked;
