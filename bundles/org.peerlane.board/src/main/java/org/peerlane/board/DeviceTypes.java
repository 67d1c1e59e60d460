package org.peerlane.board;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.Version;
import org.peerlane.bus.api.DeviceType;

/** The device types that plugins offer. <b>Threads.</b> Any. */
final class DeviceTypes {
    private final Map<ServiceReference<DeviceType>, String> names = new ConcurrentHashMap<>();

    void add(ServiceReference<DeviceType> type) {
        names.put(type, String.valueOf(type.getProperty(DeviceType.NAME)));
    }

    void remove(ServiceReference<DeviceType> type) {
        names.remove(type);
    }

    /** {@return the type of that name with the highest version, or null} */
    @Nullable ServiceReference<DeviceType> find(String name) {
        return names.entrySet().stream()
                .filter(e -> e.getValue().equals(name))
                .map(Map.Entry::getKey)
                .max(Comparator.comparing(DeviceTypes::version))
                .orElse(null);
    }

    /** {@return every name, sorted} */
    List<String> names() {
        return names.values().stream().distinct().sorted().toList();
    }

    private static Version version(ServiceReference<DeviceType> type) {
        Bundle bundle = type.getBundle();
        return bundle == null ? Version.emptyVersion : bundle.getVersion();
    }
}
