/** Reads a machine's board file, checks it, and writes the configurations. */
@NullMarked
package org.peerlane.board;

import org.jspecify.annotations.NullMarked;
