/** Who breaks the contract, and how it is seen. Start at {@code Checks}. */
@NullMarked
package org.peerlane.dmabuf.core.check;

import org.jspecify.annotations.NullMarked;
