/**
 * Tests inside the framework: the edu machine as people launch it, with bundles that come and go
 * while copies run. Start at {@link org.peerlane.tests.hotswap.DeviceHotSwapTest}.
 */
@NullMarked
package org.peerlane.tests.hotswap;

import org.jspecify.annotations.NullMarked;
