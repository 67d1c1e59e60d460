/**
 * The shell's own part: the terminal, the commands of scope {@code peerlane}, and the script runner
 * behind {@code ./peerlane exec}.
 */
@NullMarked
package org.peerlane.shell;

import org.jspecify.annotations.NullMarked;
