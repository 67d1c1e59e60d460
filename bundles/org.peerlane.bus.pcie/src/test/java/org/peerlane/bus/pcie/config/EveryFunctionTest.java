package org.peerlane.bus.pcie.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.peerlane.bus.api.ResetKind;
import org.peerlane.testkit.Rule;

@DisplayName("Config space of every kind of function")
class EveryFunctionTest {

    static Stream<Map.Entry<String, FunctionConfig>> functions() {
        return Samples.all().entrySet().stream();
    }

    /** Dwords where a write does more than the masks say; each has a test of its own. */
    private static Set<Integer> special(FunctionConfig function) {
        Set<Integer> dwords = new HashSet<>();
        for (Capability capability : function.capabilities()) {
            int at = capability.at();
            dwords.addAll(
                    switch (capability) {
                        case PowerManagement _ -> List.of(at + 4);
                        case Msi _ -> List.of(at);
                        case Express _ -> List.of(at + 0x18, at + 0x20);
                        case Pri _ -> List.of(at + 4);
                        case Pasid _ -> List.of(at + 4);
                        case SrIov _ -> List.of(at + 0x10, at + 0x20);
                        case ResizableBars _ -> List.of(at + 8);
                        default -> List.<Integer>of();
                    });
        }
        return dwords;
    }

    @Rule("PC-6")
    @ParameterizedTest
    @MethodSource("functions")
    void everyWidthAtEveryOffsetFollowsTheFormula(Map.Entry<String, FunctionConfig> sample) {
        FunctionConfig function = sample.getValue();
        ConfigSpace space = function.space();
        Set<Integer> special = special(function);
        Random random = new Random(39);
        for (int bytes : List.of(1, 2, 4)) {
            for (int round = 0; round < 4; round++) {
                for (int at = 0; at < function.bytes(); at += bytes) {
                    long v = function.read(at, bytes);
                    long x = round == 0 ? -1 : random.nextLong();
                    long wm = space.writable(at, bytes);
                    long w1c = space.clearable(at, bytes);
                    function.write(at, bytes, x);
                    if (!special.contains(at & ~3)) {
                        assertThat(function.read(at, bytes))
                                .as("%d bytes at 0x%x", bytes, at)
                                .isEqualTo(
                                        ((v & ~wm) | (x & wm))
                                                & ~(x & w1c)
                                                & ConfigSpace.ones(bytes));
                    }
                }
            }
        }
    }

    @Rule("ER-39")
    @ParameterizedTest
    @MethodSource("functions")
    void aDwordWrittenInPiecesEndsAsOneWrittenAtOnce(Map.Entry<String, FunctionConfig> sample) {
        Random random = new Random(40);
        for (int at = 0; at < sample.getValue().bytes(); at += 4) {
            long x = random.nextInt() & ConfigSpace.ones(4);
            long whole = written(sample.getKey(), at, 4, x);
            if (judged(sample.getValue(), at)) {
                continue;
            }
            assertThat(written(sample.getKey(), at, 2, x))
                    .as("halves at 0x%x", at)
                    .isEqualTo(whole);
            assertThat(written(sample.getKey(), at, 1, x)).as("bytes at 0x%x", at).isEqualTo(whole);
        }
    }

    /** Each write of a slot's control completes a command; each piece of these two is judged. */
    private static boolean judged(FunctionConfig function, int dword) {
        Express express = function.express();
        SrIov srIov = function.srIov();
        return express != null && express.slot() != null && dword == express.at() + 0x18
                || srIov != null && (dword == srIov.at() + 0x10 || dword == srIov.at() + 0x20);
    }

    private final Map<String, FunctionConfig> pieces = Samples.all();

    private long written(String name, int at, int bytes, long x) {
        FunctionConfig function = pieces.get(name);
        function.reset(ResetKind.COLD);
        for (int i = 0; i < 4; i += bytes) {
            function.write(at + i, bytes, x >>> i * 8);
        }
        return function.read(at, 4);
    }

    @Rule("PC-61")
    @Rule("PC-64")
    @ParameterizedTest
    @EnumSource(ResetKind.class)
    void aResetKeepsExactlyTheStickyBitsAndThoseOfTheLink(ResetKind kind) {
        Samples.all()
                .forEach((name, function) -> {
                    ConfigSpace space = function.space();
                    Random random = new Random(61);
                    long[] old = new long[ConfigSpace.BYTES / 4];
                    for (int i = 0; i < old.length; i++) {
                        old[i] = random.nextInt() & ConfigSpace.ones(4);
                        space.set(i * 4, 4, old[i]);
                    }
                    Set<Integer> physical = physical(function);
                    function.reset(kind);
                    for (int at = 0; at < ConfigSpace.BYTES; at += 4) {
                        boolean sticky = kind == ResetKind.HOT || kind == ResetKind.FLR;
                        boolean link = kind == ResetKind.FLR || kind == ResetKind.POWER;
                        long kept =
                                (sticky ? space.sticky(at, 4) : 0) | (link ? space.link(at, 4) : 0);
                        if (!physical.contains(at)) {
                            assertThat(space.get(at, 4))
                                    .as("%s at 0x%x", name, at)
                                    .isEqualTo(
                                            old[at / 4] & kept | space.resetValue(at, 4) & ~kept);
                        }
                    }
                });
    }

    /** A slot's presence and its link are no bits that a reset could clear. */
    private static Set<Integer> physical(FunctionConfig function) {
        Express express = function.express();
        return express == null || express.slot() == null
                ? Set.of()
                : Set.of(express.at() + 0x10, express.at() + 0x18);
    }

    @Rule("PC-21")
    @ParameterizedTest
    @MethodSource("functions")
    void theLegacyListIsLinkedAlignedAndEnds(Map.Entry<String, FunctionConfig> sample) {
        FunctionConfig function = sample.getValue();
        int at = (int) function.read(0x34, 1);
        boolean listed = (function.read(0x06, 2) & 0x10) != 0;
        assertThat(listed).isEqualTo(at != 0);
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 48 && at != 0; i++) {
            assertThat(at).isBetween(0x40, 0xFC);
            assertThat(at % 4).isZero();
            seen.add(at);
            at = (int) function.read(at + 1, 1);
        }
        assertThat(at).isZero();
        assertThat(seen).isEqualTo(places(function, false));
    }

    @Rule("PC-22")
    @ParameterizedTest
    @MethodSource("functions")
    void theExtendedListStartsAt100AndEnds(Map.Entry<String, FunctionConfig> sample) {
        FunctionConfig function = sample.getValue();
        Set<Integer> seen = new HashSet<>();
        int at = function.bytes() == ConfigSpace.BYTES ? 0x100 : 0;
        for (int i = 0; i < 960 && at != 0; i++) {
            long header = function.read(at, 4);
            if (header == 0) {
                assertThat(at).as("only an empty list has a header of 0").isEqualTo(0x100);
                break;
            }
            assertThat(at % 4).isZero();
            assertThat(header >>> 16 & 0xF).as("version").isBetween(1L, 2L);
            seen.add(at);
            at = (int) (header >>> 20);
        }
        assertThat(seen).isEqualTo(places(function, true));
    }

    private static Set<Integer> places(FunctionConfig function, boolean extended) {
        Set<Integer> places = new HashSet<>();
        for (Capability capability : function.capabilities()) {
            if (capability.id().extended() == extended) {
                places.add(capability.at());
                int mask = extended ? 0xFFFF : 0xFF;
                assertThat(function.read(capability.at(), 4) & mask)
                        .isEqualTo(capability.id().code());
            }
        }
        return places;
    }
}
