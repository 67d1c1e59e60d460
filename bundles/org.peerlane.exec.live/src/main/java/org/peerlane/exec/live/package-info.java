/** Virtual and platform threads on the machine's own clock. */
@NullMarked
package org.peerlane.exec.live;

import org.jspecify.annotations.NullMarked;
