/** The commands of scope {@code dmabuf}: who holds which buffer, and who broke a rule. */
@NullMarked
package org.peerlane.shell.dmabuf;

import org.jspecify.annotations.NullMarked;
