/** Small programs with a planted bug, each beside its correct form. Start at PlantedBugsTest. */
@NullMarked
package org.peerlane.testkit.planted;

import org.jspecify.annotations.NullMarked;
