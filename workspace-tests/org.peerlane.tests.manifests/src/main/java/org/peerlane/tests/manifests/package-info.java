/**
 * What must hold of every bundle's manifest and byte code: the arrows between bundles, no thread,
 * clock or lock but those of the execution, and jars that any build makes alike.
 */
@NullMarked
package org.peerlane.tests.manifests;

import org.jspecify.annotations.NullMarked;
