/** Gogo commands and the script runner. */
@NullMarked
package org.peerlane.shell;

import org.jspecify.annotations.NullMarked;
