/** What tests compile against: @Explore, @Rule and the contract suites. */
@Export
@Version("1.0.0")
@NullMarked
package org.peerlane.testkit;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
