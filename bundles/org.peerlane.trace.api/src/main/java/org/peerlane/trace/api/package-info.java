/**
 * Typed trace events that cost nothing when nobody listens. An event is a record; whoever emits it
 * asks a {@link org.peerlane.trace.api.Tracer} for a tracepoint once and keeps it; whoever wants to
 * see events provides a {@link org.peerlane.trace.api.TraceSink}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.trace.api;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
