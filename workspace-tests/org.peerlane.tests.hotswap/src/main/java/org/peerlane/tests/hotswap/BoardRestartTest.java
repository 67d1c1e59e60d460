package org.peerlane.tests.hotswap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.apache.felix.service.command.CommandProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.test.common.annotation.InjectBundleContext;
import org.osgi.test.common.annotation.InjectService;
import org.osgi.util.tracker.ServiceTracker;
import org.peerlane.bus.api.PcieBus;
import org.peerlane.kernel.api.Machine;
import org.peerlane.memory.api.PhysicalMemory;

/** The board goes and comes back, and somebody types at once. */
@DisplayName("A board that goes and comes back")
class BoardRestartTest {
    private static final String BOARD = "org.peerlane.board";
    private static final String WHOLE = "(" + Machine.READY + "=true)";

    @InjectBundleContext BundleContext context;

    @InjectService(timeout = 20_000)
    CommandProcessor processor;

    private Bundle board;

    /** A command. */
    public static final class Answer {
        /** {@return what it says} */
        public String answer() {
            return "forty-two";
        }
    }

    /** A plugin with a command that needs the machine, and whose activation takes its time. */
    private final class SlowPlugin extends ServiceTracker<Machine, ServiceRegistration<Answer>> {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch mayGoOn = new CountDownLatch(1);

        SlowPlugin() {
            super(BoardRestartTest.this.context, Machine.class, null);
        }

        @Override
        public ServiceRegistration<Answer> addingService(ServiceReference<Machine> machine) {
            begun.countDown();
            try {
                mayGoOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return context.registerService(
                    Answer.class,
                    new Answer(),
                    FrameworkUtil.asDictionary(
                            Map.of(
                                    "osgi.command.scope", "slow",
                                    "osgi.command.function", "answer")));
        }

        @Override
        public void removedService(
                ServiceReference<Machine> machine, ServiceRegistration<Answer> command) {
            command.unregister();
        }
    }

    @BeforeEach
    void stopTheBoard() throws Exception {
        board = new Framework(context).bundle(BOARD);
        Await.until("the machine is whole", this::isWhole);
        board.stop();
    }

    @AfterEach
    void startTheBoard() throws Exception {
        board.start();
        Await.until("the machine is whole", this::isWhole);
    }

    private static boolean isGateWaitedAt() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(frame ->
                        frame.getClassName().equals("org.peerlane.shell.MachineGate")
                                && frame.getMethodName().equals("await"));
    }

    private boolean isWhole() throws Exception {
        return !context.getServiceReferences(Machine.class, WHOLE).isEmpty();
    }

    @Test
    void whoTypesAtOnceFindsTheCommandsOfWhoActivatesOnTheMachine() throws Exception {
        Shell shell = new Shell(processor);
        SlowPlugin plugin = new SlowPlugin();
        plugin.open();
        try {
            board.start();
            plugin.begun.await();
            var typed =
                    new FutureTask<>(
                            () -> shell.run("peerlane:welcome") + shell.run("slow:answer"));
            Thread.ofVirtual().name("person").start(typed);
            Await.until(
                    "the shell waits for the machine, or has not waited",
                    () -> typed.isDone() || isGateWaitedAt());
            plugin.mayGoOn.countDown();
            assertThat(typed.get()).contains("Machine ", "forty-two");
        } finally {
            plugin.mayGoOn.countDown();
            plugin.close();
        }
    }

    @RepeatedTest(10)
    void takesTheWholeMachineWithIt() {
        assertThat(context.getServiceReference(Machine.class)).isNull();
        assertThat(context.getServiceReference(PcieBus.class)).isNull();
        assertThat(context.getServiceReference(PhysicalMemory.class)).isNull();
    }
}
