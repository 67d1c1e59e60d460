package org.peerlane.bus.pcie;

import java.util.ArrayList;
import java.util.List;

/**
 * Which functions can reach each other behind the IOMMU's back (IM-11): those must have one owner.
 * Kernel counterpart: {@code pci_device_group()}.
 *
 * <p><b>How.</b> A function is alone if every port above it sends requests between peers up (SV,
 * RR, CR and UF), and it does so itself among the functions of its device. Where a port does not,
 * all that is below the bridge above it is one group.
 */
@SuppressWarnings("ReferenceEquality") // functions are what they are
final class IsolationGroups {
    /** What a port must have switched on to keep its peers apart. */
    private static final int ISOLATES =
            PortState.SOURCE_VALIDATION
                    | PortState.REQUEST_REDIRECT
                    | PortState.COMPLETION_REDIRECT
                    | PortState.UPSTREAM_FORWARDING;

    private IsolationGroups() {}

    /** {@return the group of a function, by address; at least itself} */
    static List<BusFunction> of(BusFunction function) {
        Bus shared = null;
        for (BusFunction at = function; at != null; at = at.bus().parent) {
            if (!isolates(at)) {
                shared = at.bus();
            }
        }
        List<BusFunction> group = new ArrayList<>();
        if (shared == null) {
            group.add(function);
        } else if (shared.parent == null) {
            BusFunction top = topOn(function, shared);
            for (BusFunction member : shared.members()) {
                if (member.device() == top.device()) {
                    addAll(member, group); // other devices of a root complex are apart
                }
            }
        } else {
            for (BusFunction member : shared.members()) {
                addAll(member, group);
            }
        }
        return group;
    }

    /** {@return what of a function's way up sits on a bus} */
    private static BusFunction topOn(BusFunction function, Bus bus) {
        BusFunction at = function;
        while (at.bus() != bus) {
            Port parent = at.bus().parent;
            if (parent == null) {
                throw new AssertionError(function + " is not below the bus");
            }
            at = parent;
        }
        return at;
    }

    private static void addAll(BusFunction function, List<BusFunction> group) {
        group.add(function);
        if (function instanceof Port port) {
            for (BusFunction below : port.secondary().members()) {
                addAll(below, group);
            }
        }
    }

    /** {@return whether requests of or through a function cannot reach a neighbour on its bus} */
    private static boolean isolates(BusFunction function) {
        return switch (function) {
            case Port port ->
                    port.kind() == PortKind.UPSTREAM
                            || (port.state().acs() & ISOLATES) == ISOLATES
                            || port.kind() == PortKind.ROOT && alone(port);
            case Endpoint endpoint -> alone(endpoint) || !endpoint.reachesSiblings();
        };
    }

    private static boolean alone(BusFunction function) {
        for (BusFunction member : function.bus().members()) {
            if (member != function && member.device() == function.device()) {
                return false;
            }
        }
        return true;
    }
}
