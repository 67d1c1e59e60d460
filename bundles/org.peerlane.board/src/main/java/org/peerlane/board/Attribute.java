package org.peerlane.board;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.service.metatype.AttributeDefinition;

/**
 * What metatype says of one key, and the conversion of a board's value to it.
 *
 * @param key the key
 * @param type one of {@link AttributeDefinition}'s
 * @param required whether it must be given
 */
record Attribute(String key, int type, boolean required, AttributeDefinition definition) {

    static Attribute of(AttributeDefinition definition, boolean required) {
        return new Attribute(definition.getID(), definition.getType(), required, definition);
    }

    /** {@return what may stand there, in words} */
    String expected() {
        String kind =
                switch (type) {
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
            kind += " out of " + Arrays.toString(values);
        }
        String description = definition.getDescription();
        return kind + (description == null ? "" : " (" + description + ")");
    }

    /** {@return the value as configuration admin shall have it, or null: it does not fit} */
    @Nullable Object convert(Object value) {
        if (definition.getCardinality() != 0) {
            return value instanceof List<?> list ? convertAll(list) : null;
        }
        Object converted = convertOne(value);
        return converted != null && isValid(converted) ? converted : null;
    }

    private Object @Nullable [] convertAll(List<?> list) {
        Object[] all = list.stream().map(this::convertOne).toArray();
        return Arrays.stream(all).allMatch(v -> v != null && isValid(v)) ? all : null;
    }

    private @Nullable Object convertOne(Object value) {
        return switch (type) {
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
