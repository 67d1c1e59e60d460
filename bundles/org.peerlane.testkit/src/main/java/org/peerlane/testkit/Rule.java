package org.peerlane.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Names the rule of {@code docs/reference} that a test checks.
 *
 * <p>On a class it counts for each of its tests, those of nested and derived classes included. What
 * the test answers is kept by {@link RuleRecorder}, and {@code ./peerlane rules} lists it.
 */
@Documented
@Inherited
@Repeatable(Rules.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
@ExtendWith(RuleRecorder.class)
public @interface Rule {

    /**
     * {@return the rule's id, such as {@code DB-32}; a scenario's is led by its document, such as
     * {@code dma-buf:T-12}; {@code sample:} leads the ids of samples that are no rules}
     */
    String value();
}
