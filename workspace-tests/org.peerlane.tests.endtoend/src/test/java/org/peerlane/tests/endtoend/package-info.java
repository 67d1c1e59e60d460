/** What a person sees who starts the launcher: output, messages, exit codes. */
@NullMarked
package org.peerlane.tests.endtoend;

import org.jspecify.annotations.NullMarked;
