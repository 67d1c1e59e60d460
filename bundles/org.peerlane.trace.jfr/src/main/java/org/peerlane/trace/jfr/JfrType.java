package org.peerlane.trace.jfr;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.AnnotationElement;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.EventFactory;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.ValueDescriptor;

/** The JFR event type of one trace event: a field for each component of the record. */
final class JfrType {
    private final EventFactory factory;
    private final List<Method> accessors = new ArrayList<>();

    JfrType(Class<?> event) {
        List<ValueDescriptor> fields = new ArrayList<>();
        for (RecordComponent component : event.getRecordComponents()) {
            Class<?> type = component.getType();
            fields.add(
                    new ValueDescriptor(
                            type.isPrimitive() ? type : String.class, component.getName()));
            Method accessor = component.getAccessor();
            accessor.setAccessible(true);
            accessors.add(accessor);
        }
        factory =
                EventFactory.create(
                        List.of(
                                new AnnotationElement(
                                        Name.class, "peerlane." + event.getSimpleName()),
                                new AnnotationElement(Label.class, event.getSimpleName()),
                                new AnnotationElement(Category.class, new String[] {"Peerlane"}),
                                new AnnotationElement(StackTrace.class, false)),
                        fields);
        factory.register();
    }

    void commit(Object event) {
        Event jfr = factory.newEvent();
        if (!jfr.shouldCommit()) {
            return;
        }
        try {
            for (int i = 0; i < accessors.size(); i++) {
                Object value = accessors.get(i).invoke(event);
                boolean plain = accessors.get(i).getReturnType().isPrimitive();
                jfr.set(i, plain ? value : String.valueOf(value));
            }
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(event + " cannot be read", e);
        }
        jfr.commit();
    }

    void unregister() {
        factory.unregister();
    }
}
