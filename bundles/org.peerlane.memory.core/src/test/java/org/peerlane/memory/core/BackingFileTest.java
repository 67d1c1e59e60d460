package org.peerlane.memory.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The file behind RAM")
class BackingFileTest {
    private static final long MIB = 1L << 20;
    private static final Path SHM = Path.of("shm");
    private static final Path TMP = Path.of("tmp");

    @ParameterizedTest(name = "{0} MiB with {1} in shared memory and {2} elsewhere: {3}")
    @CsvSource({
        "1024, 2000, 9000, shm",
        "1024, 1088, 9000, shm", // just with the margin
        "1024, 1087, 9000, tmp",
        "64,   64,   9000, tmp", // a container's /dev/shm
        "4096, 2000, 1000, shm", // nowhere enough: where most is
        "4096, 1000, 2000, tmp",
        "4096, -1,   0,    tmp",
        "4096, -1,   -1,",
    })
    void goesWhereThereIsRoomForAllOfIt(long mib, long shm, long tmp, Path expected) {
        Path chosen =
                BackingFile.choose(
                        List.of(SHM, TMP), p -> p.equals(SHM) ? shm * MIB : tmp * MIB, mib * MIB);
        assertThat(chosen).isEqualTo(expected);
    }
}
