package org.peerlane.trace.jfr;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import jdk.jfr.AnnotationElement;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.EventFactory;
import jdk.jfr.Label;
import jdk.jfr.MemoryAddress;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Unsigned;
import jdk.jfr.ValueDescriptor;

/**
 * The JFR event type of one trace event: a field for each component of the record. Numbers, truth
 * values and strings stay what they are, anything else is its text; addresses and amounts carry
 * JFR's own annotations, so that JDK Mission Control prints them as such.
 *
 * <p>The field {@code nanos} is the event's time on the machine's clock, which is not JFR's own.
 */
final class JfrType {
    static final String PREFIX = "org.peerlane.";

    private static final Pattern ADDRESS =
            Pattern.compile(".*(address|iova)", Pattern.CASE_INSENSITIVE);
    private static final Pattern AMOUNT = Pattern.compile(".*bytes", Pattern.CASE_INSENSITIVE);

    /** JFR keeps these for itself; a component of such a name gets an underscore. */
    private static final Set<String> TAKEN =
            Set.of("startTime", "duration", "eventThread", "stackTrace", "nanos");

    private final Class<?> event;
    private final EventFactory factory;
    private final List<Method> accessors = new ArrayList<>();

    /** Registers the type with the flight recorder. */
    JfrType(Class<?> event) {
        this.event = event;
        List<ValueDescriptor> fields = new ArrayList<>();
        fields.add(new ValueDescriptor(long.class, "nanos", List.of(label("Machine time"))));
        RecordComponent[] components = event.getRecordComponents();
        for (RecordComponent component : components == null ? new RecordComponent[0] : components) {
            fields.add(field(component));
            Method accessor = component.getAccessor();
            accessor.setAccessible(true); // an event may be a nested record that is not public
            accessors.add(accessor);
        }
        factory =
                EventFactory.create(
                        List.of(
                                new AnnotationElement(Name.class, PREFIX + event.getSimpleName()),
                                label(words(event.getSimpleName())),
                                new AnnotationElement(Category.class, new String[] {"Peerlane"}),
                                new AnnotationElement(StackTrace.class, false)),
                        fields);
        factory.register();
    }

    private static AnnotationElement label(String text) {
        return new AnnotationElement(Label.class, text);
    }

    private static ValueDescriptor field(RecordComponent component) {
        Class<?> type = component.getType();
        String name = component.getName();
        List<AnnotationElement> annotations = new ArrayList<>();
        annotations.add(label(words(name)));
        if (type == long.class && ADDRESS.matcher(name).matches()) {
            annotations.add(new AnnotationElement(MemoryAddress.class));
            annotations.add(new AnnotationElement(Unsigned.class));
        } else if (type == long.class && AMOUNT.matcher(name).matches()) {
            annotations.add(new AnnotationElement(DataAmount.class, DataAmount.BYTES));
        }
        return new ValueDescriptor(
                type.isPrimitive() ? type : String.class,
                TAKEN.contains(name) ? name + "_" : name,
                annotations);
    }

    /** {@code DmaWrite} and {@code dmaWrite} are "Dma Write". */
    private static String words(String name) {
        String spaced = name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", " ");
        return Character.toUpperCase(spaced.charAt(0)) + spaced.substring(1);
    }

    /** {@return the record whose events this writes} */
    Class<?> event() {
        return event;
    }

    /** {@return whether a recording takes it} */
    boolean isEnabled() {
        return factory.getEventType().isEnabled();
    }

    void commit(long nanos, Object value) {
        Event jfr = factory.newEvent();
        if (!jfr.shouldCommit()) {
            return;
        }
        jfr.set(0, nanos);
        try {
            for (int i = 0; i < accessors.size(); i++) {
                Object field = accessors.get(i).invoke(value);
                boolean plain = accessors.get(i).getReturnType().isPrimitive();
                jfr.set(i + 1, plain || field == null ? field : field.toString());
            }
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(value + " cannot be read", e);
        }
        jfr.commit();
    }

    void unregister() {
        factory.unregister();
    }
}
