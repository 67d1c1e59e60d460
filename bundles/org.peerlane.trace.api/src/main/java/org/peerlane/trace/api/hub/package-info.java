/** Makes the machine's one {@link org.peerlane.trace.api.Tracer} and connects the sinks to it. */
@NullMarked
package org.peerlane.trace.api.hub;

import org.jspecify.annotations.NullMarked;
