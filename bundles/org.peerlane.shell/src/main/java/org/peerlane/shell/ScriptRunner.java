package org.peerlane.shell;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.locks.Condition;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.peerlane.exec.api.Execution;
import org.peerlane.exec.api.NamedLock;
import org.peerlane.exec.api.ThreadKind;
import org.peerlane.kernel.api.Machine;

/**
 * Runs the commands of the property {@code peerlane.exec} once the machine is up, then ends the
 * process: 0 if every command worked, 1 if not. Without the property it does nothing.
 *
 * <p>What commands print goes to standard output; a failing command is one line on standard error,
 * its stack in the log.
 */
@Component(service = ScriptRunner.class, immediate = true)
public final class ScriptRunner implements FrameworkListener {
    /** The property with the commands. */
    static final String PROPERTY = "peerlane.exec";

    private static final Logger LOG = LogManager.getLogger(ScriptRunner.class);
    private static final long LIMIT_NANOS = 30_000_000_000L;

    private final BundleContext context;
    private final CommandProcessor processor;
    private final Execution execution;
    private final NamedLock lock;
    private final Condition changed;

    /** Guarded by lock. */
    private boolean started;

    /** Guarded by lock. */
    private @Nullable Machine machine;

    /** For the framework. */
    @Activate
    public ScriptRunner(
            BundleContext context,
            @Reference CommandProcessor processor,
            @Reference Execution execution) {
        this.context = context;
        this.processor = processor;
        this.execution = execution;
        lock = execution.lock("shell.script");
        changed = lock.newCondition("ready");
        String script = context.getProperty(PROPERTY);
        if (script != null) {
            context.addFrameworkListener(this);
            execution.start(ThreadKind.BLOCKING, "shell.script", () -> end(run(script)));
        }
    }

    @Deactivate
    void deactivate() {
        context.removeFrameworkListener(this);
    }

    /** All bundles are started, and so their commands are there. */
    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED
                || event.getType() == FrameworkEvent.STARTED) {
            lock.lock();
            try {
                started = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void setMachine(Machine up) {
        lock.lock();
        try {
            machine = up;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void unsetMachine(Machine gone) {
        lock.lock();
        try {
            if (machine == gone) {
                machine = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private int run(String script) {
        try {
            Machine up = awaitMachine();
            if (up == null) {
                say("the machine did not come up within 30 s");
                return 1;
            }
            up.problems().forEach(p -> say(p));
            return up.isUp() ? execute(script) : 1;
        } catch (InterruptedException e) {
            return 1;
        }
    }

    private @Nullable Machine awaitMachine() throws InterruptedException {
        long end = execution.nanoTime() + LIMIT_NANOS;
        lock.lock();
        try {
            while (!started || machine == null) {
                long left = end - execution.nanoTime();
                if (left <= 0) {
                    return null;
                }
                changed.awaitNanos(left);
            }
            return machine;
        } finally {
            lock.unlock();
        }
    }

    private int execute(String script) {
        PrintStream out = raw(FileDescriptor.out);
        PrintStream err = raw(FileDescriptor.err);
        var in = new ByteArrayInputStream(new byte[0]);
        try (CommandSession session = processor.createSession(in, out, err)) {
            session.put("SCOPE", "peerlane:gogo:*");
            Object result = session.execute(script);
            if (result != null) {
                out.println(session.format(result, Converter.INSPECT));
            }
            return 0;
        } catch (Exception e) {
            say(sentence(e));
            LOG.debug("script '{}' failed", script, e);
            return 1;
        } finally {
            out.flush();
            err.flush();
        }
    }

    private static String sentence(Throwable thrown) {
        Throwable e = thrown;
        while (e instanceof InvocationTargetException && e.getCause() != null) {
            e = e.getCause();
        }
        String message = e.getMessage();
        return message == null || message.isBlank()
                ? e.getClass().getSimpleName()
                : List.of(message.split("\n", 2)).getFirst();
    }

    /**
     * Goes down in order, so that nothing stays behind on disk; the launcher leaves with the code.
     */
    private void end(int code) {
        System.out.flush();
        System.exit(code);
    }

    /** The process's own stream: Gogo puts streams of its own in the place of System's. */
    private static PrintStream raw(FileDescriptor which) {
        return new PrintStream(new FileOutputStream(which), true, StandardCharsets.UTF_8) {
            @Override
            public void close() {
                flush(); // the session closes its streams, but this one is the process's
            }
        };
    }

    private static void say(String sentence) {
        raw(FileDescriptor.err).println("peerlane: " + sentence);
    }
}
