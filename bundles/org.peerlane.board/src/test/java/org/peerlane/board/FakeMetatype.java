package org.peerlane.board;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.ObjectClassDefinition;

/** An object class made by hand. A range is checked as the metatype service checks it. */
final class FakeMetatype implements ObjectClassDefinition {
    private final List<AttributeDefinition> attributes = new ArrayList<>();

    /** One key. */
    record Key(
            String id, int type, int cardinality, long min, long max, String @Nullable [] defaults)
            implements AttributeDefinition {
        @Override
        public String getName() {
            return id;
        }

        @Override
        public String getID() {
            return id;
        }

        @Override
        public @Nullable String getDescription() {
            return null;
        }

        @Override
        public int getCardinality() {
            return cardinality;
        }

        @Override
        public int getType() {
            return type;
        }

        @Override
        public String @Nullable [] getOptionValues() {
            return null;
        }

        @Override
        public String @Nullable [] getOptionLabels() {
            return null;
        }

        @Override
        public @Nullable String validate(String value) {
            if (type != INTEGER) {
                return null;
            }
            int number = Integer.parseInt(value);
            return number < min || number > max ? "out of range" : "";
        }

        @Override
        public String @Nullable [] getDefaultValue() {
            return defaults;
        }
    }

    FakeMetatype required(String id, int type) {
        attributes.add(new Key(id, type, 0, Long.MIN_VALUE, Long.MAX_VALUE, null));
        return this;
    }

    FakeMetatype number(String id, long min, long max) {
        var defaults = new String[] {"1"};
        attributes.add(new Key(id, AttributeDefinition.INTEGER, 0, min, max, defaults));
        return this;
    }

    FakeMetatype list(String id, int type) {
        var defaults = new String[] {""};
        attributes.add(new Key(id, type, 8, Long.MIN_VALUE, Long.MAX_VALUE, defaults));
        return this;
    }

    Schema schema(boolean isFactory, Map<String, String> ranges) {
        return Schema.of(this, isFactory, ranges);
    }

    @Override
    public String getName() {
        return "fake";
    }

    @Override
    public String getID() {
        return "fake";
    }

    @Override
    public String getDescription() {
        return "fake";
    }

    @Override
    public AttributeDefinition[] getAttributeDefinitions(int filter) {
        return filter == REQUIRED
                ? attributes.toArray(AttributeDefinition[]::new)
                : new AttributeDefinition[0];
    }

    @Override
    public @Nullable InputStream getIcon(int size) {
        return null;
    }
}
