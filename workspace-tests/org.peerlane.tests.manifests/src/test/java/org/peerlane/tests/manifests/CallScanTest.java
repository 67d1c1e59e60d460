package org.peerlane.tests.manifests;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Opcodes;

/** Compiles planted breaches, a method each, and looks what the scan says of them. */
@DisplayName("A scan for banned calls")
class CallScanTest {
    // spotless:off
    private static final String PLANTED = """
        raw thread | new Thread(work).start();
        raw thread | new Thread() {}.isAlive();
        raw thread | Thread.ofVirtual().unstarted(work);
        raw thread | Thread.ofPlatform().name("x");
        raw thread | Thread.startVirtualThread(work);
        raw thread | Thread.sleep(1);
        raw thread | builder.start(work);
        timed JDK wait | Thread.currentThread().join(1);
        raw executor | Executors.newCachedThreadPool();
        raw executor | Supplier<ExecutorService> s = Executors::newCachedThreadPool;
        raw executor | new ThreadPoolExecutor(1, 1, 1, SECONDS, new LinkedBlockingQueue<>());
        raw executor | new java.util.Timer();
        common pool | new ForkJoinPool();
        common pool | ForkJoinPool.commonPool();
        common pool | CompletableFuture.runAsync(work);
        common pool | future.thenRunAsync(work);
        common pool | stage.handleAsync((a, b) -> a);
        common pool | list.parallelStream();
        common pool | list.stream().parallel();
        common pool | IntStream.range(0, 1).parallel();
        common pool | Arrays.parallelSort(new int[1]);
        common pool | StreamSupport.stream(list.spliterator(), false);
        common pool | new ConcurrentHashMap<Object, Object>().forEach(1, (a, b) -> {});
        raw lock | new ReentrantLock();
        raw lock | new ReentrantLock(true) {};
        raw lock | Supplier<Lock> s = ReentrantLock::new;
        raw lock | new ReentrantReadWriteLock();
        raw lock | new StampedLock();
        synchronized or monitor | synchronized (list) { list.clear(); }
        synchronized or monitor | Runnable r = () -> { synchronized (list) { list.clear(); } };
        synchronized or monitor | list.wait();
        synchronized or monitor | list.wait(1);
        synchronized or monitor | list.notify();
        synchronized or monitor | list.notifyAll();
        timed JDK wait | LockSupport.parkNanos(1);
        timed JDK wait | LockSupport.parkNanos(list, 1);
        timed JDK wait | LockSupport.parkUntil(1);
        timed JDK wait | lock.tryLock(1, SECONDS);
        timed JDK wait | jdkLock.tryLock(1, SECONDS);
        timed JDK wait | condition.awaitUntil(null);
        timed JDK wait | new CountDownLatch(1).await(1, SECONDS);
        timed JDK wait | new CyclicBarrier(1).await(1, SECONDS);
        timed JDK wait | new Phaser().awaitAdvanceInterruptibly(1, 1, SECONDS);
        timed JDK wait | new Semaphore(1).tryAcquire(1, SECONDS);
        timed JDK wait | new Semaphore(1).tryAcquire(1, 1, SECONDS);
        timed JDK wait | future.get(1, SECONDS);
        timed JDK wait | anyFuture.get(1, SECONDS);
        timed JDK wait | queue.poll(1, SECONDS);
        timed JDK wait | queue.offer("x", 1, SECONDS);
        timed JDK wait | new Exchanger<Object>().exchange("x", 1, SECONDS);
        timed JDK wait | pool.awaitTermination(1, SECONDS);
        timed JDK wait | scheduler.schedule(work, 1, SECONDS);
        timed JDK wait | scheduler.scheduleAtFixedRate(work, 1, 1, SECONDS);
        timed JDK wait | future.orTimeout(1, SECONDS);
        timed JDK wait | future.completeOnTimeout("x", 1, SECONDS);
        common pool | CompletableFuture.delayedExecutor(1, SECONDS);
        timed JDK wait | SECONDS.sleep(1);
        cleaner | Cleaner.create();
        unseeded random | ThreadLocalRandom.current();
        unseeded random | new Random();
        unseeded random | new Random() {};
        unseeded random | new SplittableRandom();
        unseeded random | RandomGenerator.getDefault();
        unseeded random | Math.random();
        unseeded random | new SecureRandom();
        unseeded random | UUID.randomUUID();
        unseeded random | Collections.shuffle(list);
        clock | System.nanoTime();
        clock | LongSupplier s = System::nanoTime;
        clock | LongSupplier s = () -> System.currentTimeMillis();
        clock | Instant.now();
        clock | LocalDateTime.now();
        clock | Clock.systemUTC();
        clock | new Date();
        clock | Calendar.getInstance();
        identity hash order | System.identityHashCode(list);
        identity hash order | ToIntFunction<Object> f = System::identityHashCode;
        identity hash order | new IdentityHashMap<Object, Object>();
        allowed | namedLock.lock();
        allowed | namedLock.tryLock();
        allowed | namedLock.tryLock(1, SECONDS);
        allowed | namedLock.newCondition("x").await(1, SECONDS);
        allowed | condition.awaitNanos(1);
        allowed | condition.await(1, SECONDS);
        allowed | condition.await();
        allowed | execution.sleep(execution.nanoTime());
        allowed | execution.start(null, "x", work);
        allowed | new CountDownLatch(1).await();
        allowed | future.get();
        allowed | future.thenRun(work);
        allowed | queue.poll();
        allowed | queue.take();
        allowed | LockSupport.park();
        allowed | Thread.currentThread().interrupt();
        allowed | Thread.yield();
        allowed | new Random(42).nextInt();
        allowed | new SplittableRandom(42);
        allowed | Collections.shuffle(list, new Random(42));
        allowed | new Date(0);
        allowed | Instant.ofEpochSecond(0);
        allowed | SECONDS.toNanos(1);
        allowed | list.stream().sequential();
        allowed | new ConcurrentHashMap<Object, Object>().forEach((a, b) -> {});
        """;

    private static final String SOURCE = """
        package planted;
        import static java.util.concurrent.TimeUnit.SECONDS;
        import java.lang.ref.Cleaner;
        import java.security.SecureRandom;
        import java.time.*;
        import java.util.*;
        import java.util.concurrent.*;
        import java.util.concurrent.locks.*;
        import java.util.function.*;
        import java.util.random.RandomGenerator;
        import java.util.stream.*;
        import org.peerlane.exec.api.*;
        class Planted {
            Runnable work; List<Object> list; CompletableFuture<Object> future; Future<Object> anyFuture;
            CompletionStage<Object> stage; BlockingQueue<Object> queue; ExecutorService pool;
            ScheduledExecutorService scheduler; Lock lock; ReentrantLock jdkLock; NamedLock namedLock;
            Condition condition; Execution execution; Thread.Builder builder;
            synchronized void onTheMethod() {}
        """;
    // spotless:on

    @TempDir static Path folder;

    @TestFactory
    Stream<DynamicTest> findsEachPlantedBreachAndNothingElse() throws IOException {
        List<String[]> cases = new ArrayList<>();
        StringBuilder source = new StringBuilder(SOURCE);
        for (String line : PLANTED.lines().toList()) {
            String[] cells = line.split(" \\| ", 2);
            source.append(
                    "    void case%d() throws Exception { %s }\n"
                            .formatted(cases.size(), cells[1]));
            cases.add(cells);
        }
        Map<String, Set<String>> found = scan(source.append("}\n").toString());
        Stream<DynamicTest> planted =
                Stream.iterate(0, i -> i < cases.size(), i -> i + 1)
                        .map(i -> test(cases.get(i)[0], cases.get(i)[1], found.get("case" + i)));
        return Stream.concat(
                planted, Stream.of(test(Ban.MONITOR, "synchronized", found.get("onTheMethod"))));
    }

    private static DynamicTest test(String expected, String code, @Nullable Set<String> found) {
        return DynamicTest.dynamicTest(
                code,
                () -> {
                    if (expected.equals("allowed")) {
                        assertThat(found).isNull();
                    } else {
                        assertThat(found).contains(expected);
                    }
                });
    }

    /** {@return the breaches by method; an anonymous class counts for the only one it can} */
    private static Map<String, Set<String>> scan(String source) throws IOException {
        JavaCompiler compiler = requireNonNull(ToolProvider.getSystemJavaCompiler());
        JavaFileObject file =
                new SimpleJavaFileObject(
                        URI.create("string:///planted/Planted.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        List<String> options =
                List.of(
                        "-d",
                        folder.toString(),
                        "-proc:none",
                        "-nowarn",
                        "-cp",
                        System.getProperty("java.class.path"));
        assertThat(compiler.getTask(null, null, null, options, null, List.of(file)).call())
                .as("the planted source compiles")
                .isTrue();
        Map<String, Set<String>> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder.resolve("planted"))) {
            for (Path type : files.toList()) {
                for (CallScan.Finding finding : CallScan.scan(Files.readAllBytes(type))) {
                    String method = finding.method();
                    if (method.equals("<init>")) {
                        method = around(type);
                    }
                    found.computeIfAbsent(method, key -> new TreeSet<>()).add(finding.what());
                }
            }
        }
        return found;
    }

    /** {@return the method that an anonymous class stands in} */
    private static String around(Path type) throws IOException {
        String[] method = {""};
        new ClassReader(Files.readAllBytes(type))
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public void visitOuterClass(
                                    String owner,
                                    @Nullable String name,
                                    @Nullable String descriptor) {
                                method[0] = name == null ? "" : name;
                            }
                        },
                        0);
        return method[0];
    }
}
