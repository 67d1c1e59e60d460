package org.peerlane.board;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.MetaTypeInformation;
import org.osgi.service.metatype.MetaTypeService;
import org.osgi.service.metatype.ObjectClassDefinition;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.bus.api.PcieFunction;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;

/**
 * Makes the machine that the board file of the property {@code peerlane.board} describes.
 *
 * <p>A thread of its own reads the file, checks each entry when the plugin that defines it is
 * there, writes its configuration, waits for the slots, and then registers the {@link Machine}.
 * Later it goes on with entries whose plugin comes later.
 *
 * <p><b>Threads.</b> Bind methods only ring; all state but the two maps of services is the board
 * thread's alone.
 */
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.peerlane.kernel.api.Machine\"")
@Component(service = Board.class, immediate = true)
public final class Board {
    private static final Logger LOG = LogManager.getLogger(Board.class);
    private static final String PROPERTY = "peerlane.board";
    private static final String MACHINE = "org.peerlane.machine";
    private static final String SLOT = "org.peerlane.bus.pcie.slot";
    private static final String DEVICE = "device";
    private static final String DEVICE_PREFIX = "device.";
    private static final long SLOT_LIMIT_NANOS = 10_000_000_000L;
    private static final long POLL_NANOS = 2_000_000;

    private final BundleContext context;
    private final Execution execution;
    private final ConfigurationAdmin admin;
    private final MetaTypeService metatypes;
    private final Doorbell bell;

    /** Device type by name, and the bundle that offers it. */
    private final Map<String, Bundle> deviceTypes = new ConcurrentHashMap<>();

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable PcieBus bus;

    // the board thread's alone
    private final List<Configuration> written = new ArrayList<>();
    private final Set<Entry> waiting = new LinkedHashSet<>();
    private final Set<String> slots = new LinkedHashSet<>();
    private final List<String> problems = new ArrayList<>();
    private volatile @Nullable ServiceRegistration<Machine> registration;

    /** For the framework. */
    @Activate
    public Board(
            BundleContext context,
            @Reference Execution execution,
            @Reference ConfigurationAdmin admin,
            @Reference MetaTypeService metatypes) {
        this.context = context;
        this.execution = execution;
        this.admin = admin;
        this.metatypes = metatypes;
        bell = new Doorbell(execution, "board.bell");
        String board = context.getProperty(PROPERTY);
        if (board != null) {
            execution.start(ThreadKind.BLOCKING, "board", () -> run(path(board)));
        }
    }

    /** The thread ends with this bundle's execution; the configurations go with the board. */
    @Deactivate
    void deactivate() {
        ServiceRegistration<Machine> up = registration;
        if (up != null) {
            up.unregister();
        }
        for (Configuration configuration : List.copyOf(written)) {
            try {
                configuration.delete();
            } catch (IOException | IllegalStateException e) {
                LOG.debug("configuration of {} was gone", configuration, e);
            }
        }
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addType(ServiceReference<DeviceType> type) {
        deviceTypes.put(String.valueOf(type.getProperty(DeviceType.NAME)), type.getBundle());
        bell.ring();
    }

    void removeType(ServiceReference<DeviceType> type) {
        deviceTypes.remove(String.valueOf(type.getProperty(DeviceType.NAME)), type.getBundle());
    }

    /** {@code edu} is a board of the installation, everything else a path. */
    private Path path(String board) {
        String home = context.getProperty("peerlane.home");
        return board.matches("[\\w-]+")
                ? Path.of(home == null ? "" : home, "bndrun", "boards", board + ".json")
                : Path.of(board);
    }

    private void run(Path file) {
        try {
            List<Entry> entries;
            try {
                entries = BoardFile.read(file);
            } catch (BoardFile.Unreadable e) {
                report(e.getMessage());
                register(new Described("none", file.toString(), Profile.DEFAULT, false, problems));
                return;
            }
            Described machine = describe(entries, file.toString());
            refuseSharedAddresses(entries);
            waiting.addAll(entries);
            writeWhatIsKnown();
            waiting.forEach(e -> report(whyWaiting(e)));
            awaitSlots();
            register(machine.with(problems));
            while (!waiting.isEmpty()) {
                bell.await();
                writeWhatIsKnown();
            }
        } catch (InterruptedException e) {
            // the board goes
        }
    }

    private void report(String problem) {
        problems.add(problem);
        LOG.warn("{}", problem);
    }

    private void register(Machine machine) {
        registration = context.registerService(Machine.class, machine, null);
    }

    /** Takes the entry about the machine itself out of the list. */
    private Described describe(List<Entry> entries, String file) {
        String name = "unnamed";
        Profile profile = Profile.DEFAULT;
        for (Entry entry : List.copyOf(entries)) {
            if (!entry.pid().equals(MACHINE)) {
                continue;
            }
            entries.remove(entry);
            for (Entry.Setting setting : entry.settings()) {
                boolean text = setting.value() instanceof String;
                if (setting.key().equals("name") && text) {
                    name = (String) setting.value();
                } else if (setting.key().equals("profile") && text) {
                    profile = profile(setting);
                } else if (!setting.key().equals("description") || !text) {
                    report(
                            "%s: %s: '%s' is %s; expected name, profile and description, each a string"
                                    .formatted(
                                            setting.place(),
                                            entry.id(),
                                            setting.key(),
                                            setting.value()));
                }
            }
        }
        return new Described(name, file, profile, true, List.of());
    }

    private Profile profile(Entry.Setting setting) {
        try {
            return Profile.parse((String) setting.value());
        } catch (ErrnoException e) {
            report(setting.place() + ": " + e.sentence() + "; " + Profile.DEFAULT + " is used");
            return Profile.DEFAULT;
        }
    }

    private void refuseSharedAddresses(List<Entry> entries) {
        Map<Object, Entry> byAddress = new HashMap<>();
        for (Entry entry : List.copyOf(entries)) {
            Object address = entry.value("address");
            Entry other =
                    entry.pid().equals(SLOT) && address != null
                            ? byAddress.putIfAbsent(address, entry)
                            : null;
            if (other != null) {
                entries.remove(entry);
                report(
                        "%s: %s: address %s is taken by %s at %s"
                                .formatted(
                                        entry.place(),
                                        entry.id(),
                                        address,
                                        other.id(),
                                        other.place()));
            }
        }
    }

    private void writeWhatIsKnown() {
        for (Entry entry : List.copyOf(waiting)) {
            ObjectClassDefinition definition = definition(entry.pid());
            if (definition == null) {
                continue;
            }
            var checker = new Checker();
            if (entry.pid().equals(SLOT)) {
                Bundle type = deviceTypes.get(String.valueOf(entry.value(DEVICE)));
                if (type == null && entry.value(DEVICE) != null) {
                    continue;
                }
                checker.check(entry, "", definition);
                checkDevice(checker, entry, type);
            } else {
                checker.check(entry, "", definition);
            }
            waiting.remove(entry);
            checker.problems().forEach(this::report);
            if (checker.problems().isEmpty()) {
                write(entry, checker.properties());
            }
        }
    }

    private void checkDevice(Checker checker, Entry entry, @Nullable Bundle type) {
        if (type != null) {
            MetaTypeInformation information = metatypes.getMetaTypeInformation(type);
            for (String pid : pids(information)) {
                checker.check(
                        entry, DEVICE_PREFIX, information.getObjectClassDefinition(pid, null));
            }
        }
    }

    private @Nullable ObjectClassDefinition definition(String pid) {
        for (Bundle bundle : context.getBundles()) {
            if ((bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0) {
                MetaTypeInformation information = metatypes.getMetaTypeInformation(bundle);
                if (pids(information).contains(pid)) {
                    return information.getObjectClassDefinition(pid, null);
                }
            }
        }
        return null;
    }

    private static Set<String> pids(@Nullable MetaTypeInformation information) {
        Set<String> all = new LinkedHashSet<>();
        if (information != null) {
            all.addAll(List.of(information.getPids()));
            all.addAll(List.of(information.getFactoryPids()));
        }
        return all;
    }

    private String whyWaiting(Entry entry) {
        return entry.pid().equals(SLOT) && definition(SLOT) != null
                ? "%s: %s: no plugin offers the device type '%s'; there are %s"
                        .formatted(
                                entry.place(),
                                entry.id(),
                                entry.value(DEVICE),
                                deviceTypes.keySet().stream().sorted().toList())
                : "%s: no plugin knows the configuration '%s'"
                        .formatted(entry.place(), entry.pid());
    }

    private void write(Entry entry, Hashtable<String, Object> properties) {
        String name = entry.name();
        try {
            Configuration configuration;
            if (name == null) {
                configuration = admin.getConfiguration(entry.pid(), "?");
            } else {
                properties.put("name", name);
                configuration = admin.getFactoryConfiguration(entry.pid(), name, "?");
            }
            written.add(configuration);
            configuration.update(properties);
            if (entry.pid().equals(SLOT) && name != null) {
                slots.add(name);
            }
        } catch (IOException e) {
            report("%s: %s cannot be stored: %s".formatted(entry.place(), entry.id(), e));
        }
    }

    /**
     * Configurations take effect later, on other threads: waits until each slot has its function.
     */
    private void awaitSlots() throws InterruptedException {
        long end = execution.nanoTime() + SLOT_LIMIT_NANOS;
        Map<String, Boolean> missing = new LinkedHashMap<>();
        do {
            PcieBus now = bus;
            Set<String> present =
                    now == null
                            ? Set.of()
                            : now.functions().stream()
                                    .map(PcieFunction::slot)
                                    .collect(Collectors.toSet());
            missing.clear();
            slots.stream().filter(s -> !present.contains(s)).forEach(s -> missing.put(s, true));
            if (missing.isEmpty()) {
                if (now != null) {
                    now.settle(end - execution.nanoTime());
                }
                return;
            }
            execution.sleep(POLL_NANOS);
        } while (execution.nanoTime() < end);
        missing.keySet().forEach(s -> report("slot " + s + " stayed empty; the log says why"));
    }

    /** The machine as a value. */
    private record Described(
            String name, String boardFile, Profile profile, boolean isUp, List<String> problems)
            implements Machine {
        Described {
            problems = List.copyOf(problems);
        }

        Described with(List<String> found) {
            return new Described(name, boardFile, profile, isUp, found);
        }
    }
}
