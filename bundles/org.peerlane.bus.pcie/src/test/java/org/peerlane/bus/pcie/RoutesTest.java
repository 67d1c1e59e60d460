package org.peerlane.bus.pcie;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.peerlane.testkit.Rule;

@DisplayName("Routes")
class RoutesTest {
    private final List<String> conflicts = new ArrayList<>();

    private Routes routes(Route... wanted) {
        return Routes.of(
                List.of(wanted),
                (loser, winner) -> conflicts.add(loser.name() + "<" + winner.name()));
    }

    private static Route route(String name, long first, long last) {
        return new Route(name, first, last, null, null, 0);
    }

    private static @Nullable String name(Routes routes, long address) {
        Route route = routes.find(address);
        return route == null ? null : route.name();
    }

    @Test
    void bothEndsBelongToARouteAndAddressesAreUnsigned() {
        Routes routes =
                routes(
                        route("top", -4096, -1),
                        route("low", 0x1000, 0x1FFF),
                        route("middle", Long.MAX_VALUE, Long.MIN_VALUE));
        assertThat(name(routes, 0xFFF)).isNull();
        assertThat(name(routes, 0x1000)).isEqualTo("low");
        assertThat(name(routes, 0x1FFF)).isEqualTo("low");
        assertThat(name(routes, 0x2000)).isNull();
        assertThat(name(routes, Long.MIN_VALUE)).isEqualTo("middle");
        assertThat(name(routes, Long.MIN_VALUE + 1)).isNull();
        assertThat(name(routes, -4097)).isNull();
        assertThat(name(routes, -1)).isEqualTo("top");
        assertThat(name(routes(), 0)).isNull();
    }

    @Test
    void aHoleEndsWhereTheNextRouteBegins() {
        Routes routes = routes(route("a", 0x1000, 0x1FFF), route("b", 0x3000, 0x3FFF));
        assertThat(routes.hole(0x2FF0, 100)).isEqualTo(16);
        assertThat(routes.hole(0x2000, 100)).isEqualTo(100);
        assertThat(routes.hole(0x4000, 100)).isEqualTo(100);
    }

    @Rule("PC-19")
    @Test
    void ofTwoThatOverlapTheFirstInTheListAnswers() {
        Routes routes =
                routes(
                        route("first", 0x2000, 0x2FFF),
                        route("second", 0x1000, 0x2000),
                        route("third", 0x1000, 0x1FFF));
        assertThat(conflicts).containsExactly("second<first");
        assertThat(name(routes, 0x1000)).isEqualTo("third");
        assertThat(name(routes, 0x2000)).isEqualTo("first");
    }

    @Test
    void aLookUpAnswersLikeALinearSearch() {
        Random random = new Random(7);
        List<Route> wanted = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            long first = (random.nextLong() & ~0xFFFL);
            wanted.add(route("r" + i, first, first + 0xFFF));
        }
        List<Route> losers = new ArrayList<>();
        Routes routes = Routes.of(wanted, (loser, winner) -> losers.add(loser));
        wanted.removeAll(losers);
        for (Route route : List.copyOf(wanted)) {
            for (long address :
                    new long[] {route.first() - 1, route.first(), route.last(), route.last() + 1}) {
                Route expected =
                        wanted.stream()
                                .filter(r ->
                                        address - r.first() >= 0 && address - r.first() <= 0xFFF)
                                .findFirst()
                                .orElse(null);
                assertThat(routes.find(address)).isSameAs(expected);
            }
        }
    }
}
