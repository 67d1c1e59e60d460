package org.peerlane.board;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.metatype.MetaTypeInformation;
import org.osgi.service.metatype.MetaTypeService;
import org.osgi.service.metatype.ObjectClassDefinition;

/** Finds what the running bundles say of their configurations. */
final class Schemas {
    private static final Schema NO_KEYS = new Schema(true, Map.of());

    private final BundleContext context;
    private final MetaTypeService metatypes;

    Schemas(BundleContext context, MetaTypeService metatypes) {
        this.context = context;
        this.metatypes = metatypes;
    }

    /** {@return what is known of a PID, or null: no running bundle has it} */
    @Nullable Schema find(String pid) {
        for (Bundle bundle : context.getBundles()) {
            MetaTypeInformation information = information(bundle);
            if (information != null && pids(information).contains(pid)) {
                return schema(information, pid);
            }
        }
        return null;
    }

    /** {@return every PID that a board may name} */
    Set<String> known() {
        Set<String> all = new TreeSet<>();
        for (Bundle bundle : context.getBundles()) {
            MetaTypeInformation information = information(bundle);
            if (information != null) {
                all.addAll(pids(information));
            }
        }
        return all;
    }

    /**
     * {@return the options of a device type: the PID of its component, or the only one of its
     * bundle}
     */
    Schema ofService(ServiceReference<?> service) {
        MetaTypeInformation information = information(service.getBundle());
        if (information == null) {
            return NO_KEYS;
        }
        Set<String> pids = pids(information);
        for (String property : List.of("service.pid", "component.name")) {
            if (service.getProperty(property) instanceof String pid && pids.contains(pid)) {
                return schema(information, pid);
            }
        }
        return pids.size() == 1 ? schema(information, pids.iterator().next()) : NO_KEYS;
    }

    private @Nullable MetaTypeInformation information(@Nullable Bundle bundle) {
        return bundle != null && (bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0
                ? metatypes.getMetaTypeInformation(bundle)
                : null;
    }

    private static Set<String> pids(MetaTypeInformation information) {
        Set<String> all = new TreeSet<>(List.of(information.getPids()));
        all.addAll(List.of(information.getFactoryPids()));
        return all;
    }

    private static Schema schema(MetaTypeInformation information, String pid) {
        ObjectClassDefinition definition = information.getObjectClassDefinition(pid, null);
        return Schema.of(
                definition,
                List.of(information.getFactoryPids()).contains(pid),
                Ranges.of(information.getBundle(), definition.getID()));
    }
}
