/** Which address belongs to which mapping, and who uses it when he must not: see ShadowIndex. */
@NullMarked
package org.peerlane.dmabuf.core.shadow;

import org.jspecify.annotations.NullMarked;
