/**
 * What tests compile against, ours and other people's. {@link org.peerlane.testkit.Explore} runs a
 * test under thousands of schedules; {@link org.peerlane.testkit.Rule} says which rule a test
 * proves.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.testkit;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
