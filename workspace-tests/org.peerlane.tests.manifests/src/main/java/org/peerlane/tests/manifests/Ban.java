package org.peerlane.tests.manifests;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A call that takes thread, time, lock or chance from elsewhere than the execution service.
 *
 * @param what kind of breach, for messages
 * @param owner the called class, whole
 * @param call its method and descriptor, whole
 */
record Ban(String what, Pattern owner, Pattern call) {
    static final String THREAD = "raw thread";
    static final String EXECUTOR = "raw executor";
    static final String LOCK = "raw lock";
    static final String MONITOR = "synchronized or monitor";
    static final String TIMED = "timed JDK wait";
    static final String POOL = "common pool";
    static final String CLEANER = "cleaner";
    static final String CHANCE = "unseeded random";
    static final String CLOCK = "clock";
    static final String IDENTITY = "identity hash order";

    // spotless:off
    private static final List<Ban> BANS =
            List.of(
                    ban(THREAD,   "java/lang/Thread", "(<init>|start|ofVirtual|ofPlatform|startVirtualThread|sleep|stop)\\(.*"),
                    ban(THREAD,   "java/lang/(Thread\\$Builder.*|ThreadBuilders.*)", ".*"),
                    ban(TIMED,    "java/lang/Thread", "join\\((J|JI|Ljava/time/Duration;)\\).*"),
                    ban(EXECUTOR, "java/util/concurrent/(Executors|ThreadPoolExecutor.*|ScheduledThreadPoolExecutor|ExecutorCompletionService|StructuredTaskScope.*|SubmissionPublisher)", ".*"),
                    ban(EXECUTOR, "java/util/(Timer|TimerTask)", ".*"),
                    ban(POOL,     "java/util/concurrent/(ForkJoin.*|Recursive(Task|Action)|CountedCompleter)", ".*"),
                    ban(POOL,     "java/util/concurrent/(CompletableFuture|CompletionStage)", "(\\w*Async|delayedExecutor)\\(.*"),
                    ban(POOL,     ".*", "(parallel|parallelStream)\\(\\)Ljava/util/.*"),
                    ban(POOL,     "java/util/Arrays", "parallel\\w+\\(.*"),
                    ban(POOL,     "java/util/stream/StreamSupport", "\\w+\\(.*Z\\).*"),
                    ban(POOL,     "java/util/concurrent/ConcurrentHashMap", "(forEach|search|reduce)\\w*\\(J.*"),
                    ban(LOCK,     "java/util/concurrent/locks/(ReentrantLock|ReentrantReadWriteLock|StampedLock|AbstractQueued(Long)?Synchronizer)", "<init>\\(.*"),
                    ban(MONITOR,  ".*", "(wait\\((J|JI)?\\)V|notify\\(\\)V|notifyAll\\(\\)V)"),
                    ban(TIMED,    "java/util/concurrent/locks/(LockSupport|AbstractQueued(Long)?Synchronizer.*)", "(parkNanos|parkUntil|\\w+Nanos)\\(.*"),
                    ban(TIMED,    "java/util/concurrent/TimeUnit", "(sleep|timedJoin|timedWait)\\(.*"),
                    ban(TIMED,    "java/util/concurrent/locks/Condition", "awaitUntil\\(.*"),
                    // Conditions come from NamedLocks only, so their timed waits run on the execution's time
                    ban(TIMED,    "java/util/concurrent/(?!TimeUnit$)(?!locks/Condition$).*", ".*(\\(|;)J?I?JLjava/util/concurrent/TimeUnit;.*\\).*"),
                    ban(TIMED,    "java/util/concurrent/.*", "\\w+\\(.*Ljava/time/Duration;\\).*"),
                    ban(TIMED,    "java/lang/Process", "waitFor\\(.+\\).*"),
                    ban(CLEANER,  "java/lang/ref/Cleaner.*", ".*"),
                    ban(CHANCE,   "java/util/concurrent/ThreadLocalRandom", ".*"),
                    ban(CHANCE,   "java/util/(Random|SplittableRandom)", "<init>\\(\\)V"),
                    ban(CHANCE,   "java/util/random/RandomGenerator(Factory)?", "(getDefault|of|create)\\((Ljava/lang/String;)?\\).*"),
                    ban(CHANCE,   "java/lang/(Strict)?Math", "random\\(.*"),
                    ban(CHANCE,   "java/security/SecureRandom", ".*"),
                    ban(CHANCE,   "java/util/UUID", "randomUUID\\(.*"),
                    ban(CHANCE,   "java/util/Collections", "shuffle\\(Ljava/util/List;\\)V"),
                    ban(CLOCK,    "java/lang/System", "(nanoTime|currentTimeMillis)\\(.*"),
                    ban(CLOCK,    "java/time/.*", "now\\(.*"),
                    ban(CLOCK,    "java/time/(Clock|InstantSource)", "(system|tick)\\w*\\(.*"),
                    ban(CLOCK,    "java/util/(Date|GregorianCalendar)", "<init>\\(\\)V"),
                    ban(CLOCK,    "java/util/Calendar", "getInstance\\(.*"),
                    ban(IDENTITY, "java/lang/System", "identityHashCode\\(.*"),
                    ban(IDENTITY, "java/util/IdentityHashMap", "<init>\\(.*"));
    // spotless:on

    /** {@return what a call breaches, null if it is allowed} */
    static @Nullable String breach(String owner, String method, String descriptor) {
        for (Ban ban : BANS) {
            if (ban.owner.matcher(owner).matches()
                    && ban.call.matcher(method + descriptor).matches()) {
                return ban.what;
            }
        }
        return null;
    }

    private static Ban ban(String what, String owner, String call) {
        return new Ban(what, Pattern.compile(owner), Pattern.compile(call));
    }
}
