package org.peerlane.trace.ring;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
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
        @AttributeDefinition(description = "events kept", min = "2", max = "16777216")
        int capacity() default 65_536;
    }

    private static final int SHOWN = 40;

    private final Ring ring;

    /** Event names that are wanted; null: none. */
    private volatile @Nullable Pattern wanted;

    /**
     * Not injected by the constructor: the tracer asks its sinks, and a cycle would never start.
     */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    volatile @Nullable Tracer tracer;

    /** For the framework. */
    @Activate
    public RingSink(Config config) {
        this(config.capacity());
    }

    RingSink(int capacity) {
        ring = new Ring(capacity);
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
        return names().stream()
                .map(n -> (names != null && names.matcher(n).matches() ? "on  " : "off ") + n)
                .collect(Collectors.joining("\n"));
    }

    /**
     * {@code trace:on [NAME...]}: keeps these events from now on; a name may have {@code *}; none:
     * all.
     *
     * @throws ErrnoException {@code ENOENT} no event has such a name
     */
    public String on(String... names) {
        String[] globs = names.length == 0 ? new String[] {"*"} : names;
        for (String glob : globs) {
            Pattern one = pattern(List.of(glob));
            if (names().stream().noneMatch(n -> one.matcher(n).matches())) {
                throw new ErrnoException(
                        Errno.ENOENT,
                        "no event is named '%s'; known are %s".formatted(glob, names()));
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
     * {@code trace:show N}: the last events, oldest first, times in microseconds from the first.
     */
    public String show(int count) {
        if (count < 1) {
            throw new ErrnoException(Errno.EINVAL, count + " events; expected a number from 1 on");
        }
        List<Ring.Entry> entries = ring.last(count);
        if (entries.isEmpty()) {
            return "no events kept; 'trace:on' starts";
        }
        long start = entries.getFirst().nanos();
        return entries.stream()
                .map(e ->
                        "%12.3f %-20s %s"
                                .formatted((e.nanos() - start) / 1000.0, e.thread(), e.event()))
                .collect(Collectors.joining("\n"));
    }

    /** {@code trace:clear}: forgets the events kept. */
    public void clear() {
        ring.clear();
    }
}
