package org.peerlane.trace.ring;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.trace.api.TraceEvent;
import org.peerlane.trace.api.TraceSink;
import org.peerlane.trace.api.Tracer;

/**
 * The ring as a sink, with the commands that switch and show it. It wants nothing until {@code
 * trace:on}.
 *
 * <p><b>Life.</b> When a bundle stops, what is kept of its events is turned into text: it can still
 * be shown, and holds on to nothing of the bundle's.
 */
@Component(
        service = TraceSink.class,
        immediate = true,
        configurationPid = "org.peerlane.trace.ring",
        property = {
            "osgi.command.scope=trace",
            "osgi.command.function=types",
            "osgi.command.function=on",
            "osgi.command.function=off",
            "osgi.command.function=show",
            "osgi.command.function=clear"
        })
@Designate(ocd = RingSink.Config.class)
public final class RingSink implements TraceSink {
    /** What a board file may say. */
    @ObjectClassDefinition(name = "Trace ring buffer")
    public @interface Config {
        /** {@return how many events are kept} */
        @AttributeDefinition(
                description = "events kept, rounded up to a power of two",
                min = "2",
                max = "16777216")
        int capacity() default 65_536;
    }

    private static final int SHOWN = 40;

    private final Ring ring;
    private final BundleListener departures = this::bundleChanged;

    /** Event names that are wanted; null: none. */
    private volatile @Nullable Pattern wanted;

    private volatile @Nullable Tracer tracer;

    /**
     * For the framework.
     *
     * @param context tells which bundles stop
     * @param config what the board file says
     */
    @Activate
    public RingSink(BundleContext context, Config config) {
        this(config.capacity());
        context.addBundleListener(departures);
    }

    /**
     * @param capacity events kept, rounded up to a power of two
     * @throws ErrnoException {@code EINVAL} that cannot be
     */
    public RingSink(int capacity) {
        if (capacity < Ring.LEAST || capacity > Ring.MOST) {
            throw new ErrnoException(
                    Errno.EINVAL,
                    "capacity %d; expected %d to %d events"
                            .formatted(capacity, Ring.LEAST, Ring.MOST));
        }
        ring = new Ring(capacity);
    }

    @Deactivate
    void deactivate(BundleContext context) {
        context.removeBundleListener(departures);
    }

    /**
     * The tracer has come. Not injected by the constructor: the tracer asks its sinks, and a cycle
     * would never start.
     */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindTracer(Tracer here) {
        tracer = here;
    }

    void unbindTracer(Tracer gone) {
        if (gone.equals(tracer)) {
            tracer = null;
        }
    }

    private void bundleChanged(BundleEvent event) {
        int gone = BundleEvent.STOPPED | BundleEvent.UNRESOLVED | BundleEvent.UNINSTALLED;
        if ((event.getType() & gone) != 0) {
            Bundle bundle = event.getBundle();
            ring.settle(type -> bundle.equals(FrameworkUtil.getBundle(type)));
        }
    }

    @Override
    public boolean wants(Class<? extends TraceEvent> type) {
        Pattern names = wanted;
        return names != null && names.matcher(type.getSimpleName()).matches();
    }

    @Override
    public void accept(long nanos, TraceEvent event) {
        ring.add(nanos, event);
    }

    private Tracer tracer() {
        Tracer now = tracer;
        if (now == null) {
            throw new ErrnoException(Errno.ENODEV, "the tracer is not up");
        }
        return now;
    }

    private Set<String> names() {
        return tracer().types().stream()
                .map(Class::getSimpleName)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** {@code trace:types}: the events that somebody may emit, and whether they are kept. */
    public String types() {
        Pattern names = wanted;
        Set<String> known = names();
        if (known.isEmpty()) {
            return "nobody emits events yet";
        }
        return known.stream()
                .map(n -> (names != null && names.matcher(n).matches() ? "on  " : "off ") + n)
                .collect(Collectors.joining("\n"));
    }

    /**
     * {@code trace:on [NAME...]}: keeps these events from now on; a name may have {@code *}, and is
     * then quoted, or the shell looks for files: {@code trace:on 'Dma*'}; none: all.
     *
     * @throws ErrnoException {@code ENOENT} no event has such a name
     */
    public String on(String... names) {
        String[] globs = names.length == 0 ? new String[] {"*"} : names;
        for (String glob : names) {
            Pattern one = pattern(List.of(glob));
            if (names().stream().noneMatch(n -> one.matcher(n).matches())) {
                throw new ErrnoException(
                        Errno.ENOENT,
                        "no event is named '%s'; known are: %s"
                                .formatted(glob, String.join(", ", names())));
            }
        }
        wanted = pattern(List.of(globs));
        tracer().refresh();
        return types();
    }

    private static Pattern pattern(List<String> globs) {
        return Pattern.compile(
                globs.stream()
                        .map(g -> "\\Q" + g.replace("*", "\\E.*\\Q") + "\\E")
                        .collect(Collectors.joining("|")));
    }

    /** {@code trace:off}: keeps no more events; those kept stay. */
    public void off() {
        wanted = null;
        tracer().refresh();
    }

    /** {@code trace:show}: the last 40 events. */
    public String show() {
        return show(SHOWN);
    }

    /**
     * {@code trace:show N}: the last events, oldest first: microseconds from the first, thread,
     * name and fields.
     *
     * @throws ErrnoException {@code EINVAL} that is not a number of events
     */
    public String show(String count) {
        int number;
        try {
            number = Integer.parseInt(count);
        } catch (NumberFormatException e) {
            number = 0;
        }
        if (number < 1) {
            throw new ErrnoException(
                    Errno.EINVAL, "'%s' events; expected a number from 1 on".formatted(count));
        }
        return show(number);
    }

    private String show(int count) {
        List<Ring.Entry> entries = ring.last(count);
        if (entries.isEmpty()) {
            return "no events kept" + (wanted == null ? "; 'trace:on' starts" : "");
        }
        long start = entries.getFirst().nanos();
        return entries.stream().map(e -> line(e, start)).collect(Collectors.joining("\n"));
    }

    private static String line(Ring.Entry entry, long start) {
        return "%12.3f %-20s %s"
                .formatted(
                        (entry.nanos() - start) / 1000.0,
                        entry.thread().isEmpty() ? "-" : entry.thread(),
                        EventText.of(entry.event()));
    }

    /** {@code trace:clear}: forgets the events kept. */
    public void clear() {
        ring.clear();
    }
}
