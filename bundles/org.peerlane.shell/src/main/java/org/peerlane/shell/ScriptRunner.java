package org.peerlane.shell;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.CommandSessionListener;
import org.apache.felix.service.command.Converter;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.peerlane.exec.api.Execution;
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
public final class ScriptRunner {
    /** The property with the commands. */
    static final String PROPERTY = "peerlane.exec";

    private static final Logger LOG = LogManager.getLogger(ScriptRunner.class);
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** Gogo's grep takes any output for a terminal. */
    private static final String NO_COLORS = "mt=0:ms=0:mc=0:sl=0:cx=0:fn=0:ln=0:bn=0:se=0";

    private final CommandProcessor processor;

    /** For the framework. */
    @Activate
    public ScriptRunner(
            BundleContext context,
            @Reference CommandProcessor processor,
            @Reference Execution execution,
            @Reference MachineGate gate,
            @Reference(cardinality = ReferenceCardinality.OPTIONAL) @Nullable ExitStatus exit) {
        this.processor = processor;
        String script = context.getProperty(PROPERTY);
        if (script != null && exit != null) {
            context.registerService(CommandSessionListener.class, new KeptSessions(), null);
            execution.start(ThreadKind.BLOCKING, "shell.script", () -> exit.set(run(gate, script)));
        }
    }

    private int run(MachineGate gate, String script) {
        try {
            Machine up = gate.await(LIMIT_NANOS);
            if (up == null) {
                say("the machine did not come up within 20 s; the log says why");
                return 1;
            }
            up.problems().forEach(ScriptRunner::say);
            return up.isUp() ? execute(script) : 1;
        } catch (InterruptedException e) {
            say("interrupted before the commands had ended");
            return 1;
        }
    }

    private int execute(String script) {
        PrintStream out = raw(FileDescriptor.out);
        PrintStream err = raw(FileDescriptor.err);
        var in = new ByteArrayInputStream(new byte[0]);
        try (CommandSession session = processor.createSession(in, out, err)) {
            session.put("SCOPE", "peerlane:gogo:*");
            session.put("GREP_COLORS", NO_COLORS);
            for (String statement : Statements.of(script)) {
                Object result = session.execute(statement);
                if (result != null) {
                    out.println(session.format(result, Converter.INSPECT));
                }
            }
            return 0;
        } catch (Exception | LinkageError e) {
            say(sentence(e));
            LOG.info("script '{}' failed", script, e);
            return 1;
        } finally {
            out.flush();
            err.flush();
        }
    }

    /** {@return what went wrong, in one line; a message of one word alone says too little} */
    static String sentence(Throwable thrown) {
        Throwable e = thrown;
        while (e instanceof InvocationTargetException && e.getCause() != null) {
            e = e.getCause();
        }
        String message = e.getMessage() == null ? "" : e.getMessage().strip();
        String line = message.lines().findFirst().orElse("");
        String name = e.getClass().getSimpleName();
        return line.isEmpty() ? name : line.contains(" ") ? line : name + ": " + line;
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

    static void say(String sentence) {
        raw(FileDescriptor.err).println("peerlane: " + sentence);
    }
}
