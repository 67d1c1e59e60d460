package org.peerlane.board;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
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
import org.osgi.service.metatype.MetaTypeService;
import org.peerlane.bus.api.DeviceType;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.exec.api.Doorbell;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Machine;
import org.peerlane.kernel.api.Profile;

/**
 * Makes the machine that the board file of the property {@code peerlane.board} describes.
 *
 * <p>A thread of its own reads the file, checks each entry when the plugin that defines it is
 * there, writes its configuration, waits for the slots, and then registers the {@link Machine}.
 * Later it goes on with entries whose plugin comes later.
 *
 * <p><b>Threads.</b> Bind methods only ring; all else is the board thread's alone.
 */
@Capability(
        namespace = "osgi.service",
        attribute = "objectClass:List<String>=\"org.peerlane.kernel.api.Machine\"")
@Component(service = Board.class, immediate = true)
public final class Board implements BundleListener {
    private static final Logger LOG = LogManager.getLogger(Board.class);
    private static final String PROPERTY = "peerlane.board";
    private static final String SLOT = Places.SLOT;
    private static final String BUS = "org.peerlane.bus.pcie";
    private static final String DEVICE = "device";
    private static final String DEVICE_PREFIX = "device.";
    private static final long SLOT_LIMIT_NANOS = 5_000_000_000L;
    private static final long POLL_NANOS = 2_000_000;

    private final BundleContext context;
    private final Execution execution;
    private final ConfigurationAdmin admin;
    private final Written written;
    private final Schemas schemas;
    private final Doorbell bell;
    private final DeviceTypes types = new DeviceTypes();

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    volatile @Nullable PcieBus bus;

    // the board thread's alone
    private final Map<Entry, String> waiting = new LinkedHashMap<>();
    private final Map<String, Entry> slots = new LinkedHashMap<>();

    /** What the file says, without what has no place. */
    private List<Entry> good = List.of();

    private final List<String> mistakes = new ArrayList<>();

    private volatile List<String> problems = List.of();
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
        written = new Written(context, execution, admin);
        schemas = new Schemas(context, metatypes);
        bell = new Doorbell(execution, "board.bell");
        String board = context.getProperty(PROPERTY);
        if (board != null) {
            context.addBundleListener(this);
            execution.start(ThreadKind.BLOCKING, "board", () -> run(path(board)));
        }
    }

    /**
     * The thread ends with this bundle's execution; the configurations go with the board, and so
     * has the machine when this returns. Those of a framework that stops go with its storage:
     * whoever would be told of it may have stopped.
     */
    @Deactivate
    void deactivate() {
        context.removeBundleListener(this);
        ServiceRegistration<Machine> up = registration;
        if (up != null) {
            up.unregister();
        }
        if (context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getState() == Bundle.STOPPING) {
            return;
        }
        written.delete();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addType(ServiceReference<DeviceType> type) {
        types.add(type);
        bell.ring();
    }

    void removeType(ServiceReference<DeviceType> type) {
        types.remove(type);
    }

    /** A plugin that comes later may bring the metatype of an entry that waits. */
    @Override
    public void bundleChanged(BundleEvent event) {
        if (event.getType() == BundleEvent.STARTED) {
            bell.ring();
        }
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
                BoardFile.Content content = BoardFile.read(file);
                entries = new ArrayList<>(content.entries());
                content.problems().forEach(this::report);
            } catch (BoardFile.Unreadable e) {
                report(e.sentence());
                publish();
                register(new Running("none", file.toString(), Profile.DEFAULT, false));
                return;
            }
            Description description = Description.take(entries);
            description.problems().forEach(this::report);
            List<String> wrong = new ArrayList<>();
            Places.refuse(entries, wrong);
            wrong.forEach(this::report);
            entries.sort(Comparator.comparing(e -> e.pid().equals(SLOT))); // the machine first
            good = List.copyOf(entries);
            entries.forEach(e -> waiting.put(e, ""));
            writeWhatIsKnown();
            register(new Running(description.name(), file.toString(), description.profile(), true));
            while (!waiting.isEmpty()) {
                bell.await();
                writeWhatIsKnown();
            }
        } catch (InterruptedException e) {
            // the board goes
        }
    }

    private void report(String mistake) {
        mistakes.add(mistake);
        log(mistake);
    }

    /** Whoever waits for the machine is told then; later on, only the log can tell. */
    private void log(String mistake) {
        LOG.log(registration == null ? Level.INFO : Level.WARN, mistake);
    }

    /** Makes what is known to be wrong now visible to everybody. */
    private void publish() {
        List<String> all = new ArrayList<>(mistakes);
        all.addAll(waiting.values());
        problems = List.copyOf(all);
    }

    /**
     * Who waits for the service activates inside of the first call, and is there after it. If that
     * is a driver, it has what it drives when the bus has settled.
     */
    private void register(Machine machine) throws InterruptedException {
        ServiceRegistration<Machine> up = context.registerService(Machine.class, machine, null);
        registration = up;
        PcieBus now = bus;
        if (now != null) {
            now.settle(SLOT_LIMIT_NANOS);
        }
        try {
            up.setProperties(FrameworkUtil.asDictionary(Map.of(Machine.READY, true)));
        } catch (IllegalStateException e) {
            LOG.debug("the board goes before the machine was ready", e);
        }
    }

    /** One pass over what waits: checks and writes what can be, and says of the rest why not. */
    private void writeWhatIsKnown() throws InterruptedException {
        slots.clear();
        for (Entry entry : List.copyOf(waiting.keySet())) {
            Checker checker = check(entry);
            if (checker == null) {
                String reason = whyWaiting(entry);
                if (!reason.equals(waiting.put(entry, reason))) {
                    log(reason);
                }
                continue;
            }
            waiting.remove(entry);
            checker.problems().forEach(this::report);
            if (checker.problems().isEmpty()) {
                if (entry.pid().equals(BUS)) {
                    checker.properties().putAll(parts());
                }
                write(entry, checker.properties());
            }
        }
        awaitSlots();
        publish();
    }

    /** How many parts the bus waits for before it makes its tree, by the names DS gives them. */
    private Map<String, Object> parts() {
        Map<String, Object> minimum = new HashMap<>();
        for (Entry entry : good) {
            String part =
                    switch (entry.pid()) {
                        case Places.PORT, Places.SWITCH -> "port";
                        case Places.HOST_BRIDGE -> "hostbridge";
                        default -> null;
                    };
            Schema schema = part == null ? null : schemas.find(entry.pid());
            if (schema != null) {
                var checker = new Checker(entry);
                checker.check(schema);
                if (checker.problems().isEmpty()) {
                    minimum.merge(part + ".cardinality.minimum", 1, (a, b) -> (int) a + (int) b);
                }
            }
        }
        return minimum;
    }

    /** Null: what the entry is about is not here yet. */
    private @Nullable Checker check(Entry entry) {
        Schema schema = schemas.find(entry.pid());
        if (schema == null) {
            return null;
        }
        var checker = new Checker(entry);
        if (entry.pid().equals(SLOT) && entry.value(DEVICE) instanceof String device) {
            ServiceReference<DeviceType> type = types.find(device);
            if (type == null) {
                return null;
            }
            checker.check(schema, schemas.ofService(type), DEVICE_PREFIX);
        } else {
            checker.check(schema);
        }
        return checker;
    }

    private String whyWaiting(Entry entry) {
        if (schemas.find(entry.pid()) == null) {
            return "%s: no plugin knows the configuration '%s'%s; it waits for one"
                    .formatted(
                            entry.place(), entry.pid(), Nearest.to(entry.pid(), schemas.known()));
        }
        String device = String.valueOf(entry.value(DEVICE));
        return "%s: %s: no plugin offers the device type '%s'%s; it waits for one, here are %s"
                .formatted(
                        entry.place(),
                        entry.id(),
                        device,
                        Nearest.to(device, types.names()),
                        types.names());
    }

    private void write(Entry entry, Map<String, Object> properties) {
        String name = entry.name();
        try {
            Configuration configuration;
            if (name == null) {
                configuration = admin.getConfiguration(entry.pid(), "?");
            } else {
                properties.put(Checker.NAME, name);
                configuration = admin.getFactoryConfiguration(entry.pid(), name, "?");
            }
            written.add(configuration);
            configuration.update(FrameworkUtil.asDictionary(properties));
            if (entry.pid().equals(SLOT) && name != null) {
                slots.put(name, entry);
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
        while (true) {
            PcieBus now = bus;
            if (now != null) {
                now.functions().forEach(f -> slots.remove(f.slot()));
                if (slots.isEmpty()) {
                    now.settle(end - execution.nanoTime());
                }
            }
            if (slots.isEmpty()) {
                return;
            }
            if (execution.nanoTime() >= end) {
                String reason = now == null ? "there is no PCIe bus" : "the log says why";
                slots.forEach((name, entry) ->
                        report(
                                "%s: slot %s stayed empty: %s"
                                        .formatted(entry.place(), name, reason)));
                return;
            }
            execution.sleep(POLL_NANOS);
        }
    }

    /** The machine as others see it. */
    private final class Running implements Machine {
        private final String name;
        private final String boardFile;
        private final Profile profile;
        private final boolean isUp;

        Running(String name, String boardFile, Profile profile, boolean isUp) {
            this.name = name;
            this.boardFile = boardFile;
            this.profile = profile;
            this.isUp = isUp;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String boardFile() {
            return boardFile;
        }

        @Override
        public Profile profile() {
            return profile;
        }

        @Override
        public boolean isUp() {
            return isUp;
        }

        @Override
        public List<String> problems() {
            return problems;
        }
    }
}
