package org.peerlane.trace.ring;

import java.lang.reflect.RecordComponent;
import java.util.regex.Pattern;
import org.peerlane.trace.api.FallsUnder;

/**
 * An event as one line of text: {@code DmaWrite address=0x1000 bytes=64}. Whole numbers that are
 * places or contents print in hex, amounts in decimal. What falls under a rule of the specification
 * says so: {@code DmaBufDetach buffer=1 attachment=2 device=nvme0 [DB-25]}.
 */
final class EventText {
    /** A text that stands for an event whose class is no longer there. */
    record Settled(String text) {}

    private static final Pattern HEX =
            Pattern.compile(
                    ".*(address|iova|offset|value|data|requester)", Pattern.CASE_INSENSITIVE);

    private EventText() {}

    static String of(Object event) {
        if (event instanceof Settled settled) {
            return settled.text();
        }
        RecordComponent[] components = event.getClass().getRecordComponents();
        if (components == null) {
            return event.getClass().getSimpleName() + " " + event;
        }
        StringBuilder text = new StringBuilder(event.getClass().getSimpleName());
        for (RecordComponent component : components) {
            text.append(' ').append(component.getName()).append('=');
            text.append(value(component, event));
        }
        FallsUnder rule = event.getClass().getAnnotation(FallsUnder.class);
        if (rule != null) {
            text.append(" [").append(rule.value()).append(']');
        }
        return text.toString();
    }

    private static String value(RecordComponent component, Object event) {
        Object value;
        try {
            component.getAccessor().setAccessible(true);
            value = component.getAccessor().invoke(event);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return "?"; // shown all the same: what the other fields say may be what is looked for
        }
        boolean hex = HEX.matcher(component.getName()).matches();
        return switch (value) {
            case Long l when hex -> "0x" + Long.toHexString(l);
            case Integer i when hex -> "0x" + Integer.toHexString(i);
            case null -> "null";
            default -> value.toString();
        };
    }
}
