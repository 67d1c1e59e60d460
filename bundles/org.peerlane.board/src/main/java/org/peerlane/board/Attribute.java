package org.peerlane.board;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.service.metatype.AttributeDefinition;

/**
 * What metatype says of one key, and the conversion of a board's value to it.
 *
 * @param key the key
 * @param required whether it must be given
 * @param definition metatype's own
 * @param range in words, with a blank before it; empty: any
 */
record Attribute(String key, boolean required, AttributeDefinition definition, String range) {

    /** {@return what may stand there, in words} */
    String expected() {
        String kind =
                switch (definition.getType()) {
                    case AttributeDefinition.INTEGER,
                            AttributeDefinition.LONG,
                            AttributeDefinition.SHORT,
                            AttributeDefinition.BYTE ->
                            "a whole number";
                    case AttributeDefinition.DOUBLE, AttributeDefinition.FLOAT -> "a number";
                    case AttributeDefinition.BOOLEAN -> "true or false";
                    default -> "a string";
                };
        String[] values = definition.getOptionValues();
        if (values != null && values.length > 0) {
            kind += " out of " + String.join(", ", values);
        }
        if (definition.getCardinality() != 0) {
            kind = "a list, each " + kind;
        }
        String description = definition.getDescription();
        return kind + range + (description == null ? "" : " (" + description + ")");
    }

    /** {@return the value as configuration admin shall have it, or null: it does not fit} */
    @Nullable Object convert(Object value) {
        if (definition.getCardinality() != 0) {
            return value instanceof List<?> list ? convertAll(list) : null;
        }
        Object converted = convertOne(value);
        return converted != null && isValid(converted) ? converted : null;
    }

    /** Configuration admin takes arrays of the elements' own type only. */
    private @Nullable Object convertAll(List<?> list) {
        List<Object> all = new ArrayList<>();
        for (Object item : list) {
            Object converted = convertOne(item);
            if (converted == null || !isValid(converted)) {
                return null;
            }
            all.add(converted);
        }
        Object array = Array.newInstance(elementType(), all.size());
        for (int i = 0; i < all.size(); i++) {
            Array.set(array, i, all.get(i));
        }
        return array;
    }

    private Class<?> elementType() {
        return switch (definition.getType()) {
            case AttributeDefinition.INTEGER -> Integer.class;
            case AttributeDefinition.LONG -> Long.class;
            case AttributeDefinition.SHORT -> Short.class;
            case AttributeDefinition.BYTE -> Byte.class;
            case AttributeDefinition.DOUBLE -> Double.class;
            case AttributeDefinition.FLOAT -> Float.class;
            case AttributeDefinition.BOOLEAN -> Boolean.class;
            default -> String.class;
        };
    }

    private @Nullable Object convertOne(Object value) {
        return switch (definition.getType()) {
            case AttributeDefinition.INTEGER ->
                    value instanceof Long n && n == n.intValue() ? n.intValue() : null;
            case AttributeDefinition.LONG -> value instanceof Long ? value : null;
            case AttributeDefinition.SHORT ->
                    value instanceof Long n && n == n.shortValue() ? n.shortValue() : null;
            case AttributeDefinition.BYTE ->
                    value instanceof Long n && n == n.byteValue() ? n.byteValue() : null;
            case AttributeDefinition.DOUBLE ->
                    value instanceof Number n ? (Object) n.doubleValue() : null;
            case AttributeDefinition.FLOAT ->
                    value instanceof Number n ? (Object) n.floatValue() : null;
            case AttributeDefinition.BOOLEAN -> value instanceof Boolean ? value : null;
            case AttributeDefinition.STRING -> value instanceof String ? value : null;
            default -> null;
        };
    }

    private boolean isValid(Object value) {
        String complaint = definition.validate(value.toString());
        return complaint == null || complaint.isEmpty();
    }
}
