package org.peerlane.trace.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of a type of events which rule of the specification what they report falls under. Sinks for
 * people show it.
 */
@Documented
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface FallsUnder {
    /** {@return the rule's id, such as {@code DB-25}} */
    String value();
}
