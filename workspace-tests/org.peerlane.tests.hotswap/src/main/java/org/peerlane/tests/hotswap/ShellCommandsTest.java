package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.peerlane.kernel.api.Errno;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Machine;

/** Every command that any bundle of ours offers, called wrongly. */
@DisplayName("Shell commands")
class ShellCommandsTest {
    private static final String PREFIX = "org.peerlane.";
    private static final int MANY = 9;

    @InjectBundleContext BundleContext context;

    @InjectService(filter = "(" + Machine.READY + "=true)", timeout = 20_000)
    Machine machine;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    private Shell shell;

    /** A command, and the numbers of arguments that its methods take; -1: any. */
    private record Command(String name, List<Integer> counts) {
        boolean takes(int count) {
            return counts.contains(count) || counts.contains(-1);
        }
    }

    @BeforeEach
    void open() {
        shell = new Shell(processor);
    }

    private List<Command> commands() throws Exception {
        List<Command> commands = new ArrayList<>();
        for (ServiceReference<?> service :
                context.getAllServiceReferences(null, "(osgi.command.function=*)")) {
            if (service.getBundle().getSymbolicName().startsWith(PREFIX)) {
                String scope = (String) service.getProperty("osgi.command.scope");
                Class<?> type = context.getService(service).getClass();
                functions(service.getProperty("osgi.command.function"))
                        .map(f -> new Command(scope + ":" + f, counts(type, f)))
                        .forEach(commands::add);
                context.ungetService(service);
            }
        }
        assertThat(commands)
                .extracting(Command::name)
                .contains(
                        "bus:pull",
                        "edu:copy",
                        "iommu:walk",
                        "mem:map",
                        "p2p:why",
                        "peerlane:setpci",
                        "trace:show");
        return commands;
    }

    private static Stream<String> functions(Object property) {
        return property instanceof String[] many ? Stream.of(many) : Stream.of((String) property);
    }

    private static List<Integer> counts(Class<?> type, String function) {
        return Arrays.stream(type.getMethods())
                .filter(m -> m.getName().equals(function))
                .map(ShellCommandsTest::count)
                .toList();
    }

    private static int count(Method method) {
        return method.isVarArgs()
                ? -1
                : (int)
                        Arrays.stream(method.getParameterTypes())
                                .filter(t -> t != CommandSession.class)
                                .count();
    }

    private Throwable failure(String line) {
        try {
            shell.run(line);
            throw new AssertionError(line + " was accepted");
        } catch (Exception e) {
            return e;
        }
    }

    private void refused(Command command, String arguments, String given) {
        assertThat(failure(command.name + arguments))
                .as(command.name + arguments)
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> {
                            assertThat(e.errno()).isEqualTo(Errno.EINVAL);
                            assertThat(e).message().hasLineCount(1);
                            assertThat(e)
                                    .hasMessageContaining(
                                            "%s: given %s; usage: %s"
                                                    .formatted(command.name, given, command.name));
                        });
    }

    @Test
    void aWrongNumberOfArgumentsIsAnsweredWithTheUsage() throws Exception {
        int none = 0;
        for (Command command : commands()) {
            if (!command.takes(0)) {
                refused(command, "", "nothing");
                none++;
            }
            if (!command.takes(MANY)) {
                refused(command, " a".repeat(MANY), "'a' ".repeat(MANY).strip());
            }
        }
        assertThat(none).as("commands that need an argument").isGreaterThan(5);
    }

    @Test
    void aVariableThatIsNotSetIsAnsweredWithTheUsage() throws Exception {
        for (Command command : commands()) {
            refused(command, " $no_such_variable", "null");
        }
    }

    @Test
    void listsMapsAndClosuresAreNamedAsTheyAre() throws Exception {
        for (Command command : commands()) {
            for (String argument : List.of("[p q]", "[k=v]", "{echo}")) {
                for (int count = 1; count <= 3; count++) {
                    String line = command.name + (" " + argument).repeat(count);
                    assertThat(failure(line))
                            .as(line)
                            .isInstanceOfSatisfying(
                                    ErrnoException.class,
                                    e -> assertThat(e).message().hasLineCount(1));
                }
            }
        }
    }

    @Test
    void helpListsEveryCommand() throws Exception {
        assertThat(shell.run("help").lines())
                .containsAll(commands().stream().map(Command::name).toList());
    }

    @Test
    void helpStillTellsWhatACommandTakes() throws Exception {
        assertThat(shell.run("help bus:pull"))
                .contains("pulls a device out by surprise")
                .contains("the slot");
    }
}
