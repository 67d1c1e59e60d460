/**
 * Lays the rules of {@code docs/reference} beside the tests that name them. Start at {@link
 * org.peerlane.tests.rules.RuleReport}.
 */
@NullMarked
package org.peerlane.tests.rules;

import org.jspecify.annotations.NullMarked;
