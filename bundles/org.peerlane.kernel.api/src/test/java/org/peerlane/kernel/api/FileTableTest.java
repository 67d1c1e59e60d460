package org.peerlane.kernel.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Descriptors of a process")
class FileTableTest {
    private static final int ROUNDS = 20_000;

    private final FileTable files = new FileTable("test", 4);

    /** Counts its references, and what is done to it after the last. */
    private static class TestFile implements OpenFile {
        final AtomicInteger released = new AtomicInteger();
        final RefCount count = new RefCount("file", released::incrementAndGet);

        @Override
        public String fileType() {
            return "test";
        }

        @Override
        public void get() {
            count.get();
        }

        @Override
        public boolean getUnlessZero() {
            return count.getUnlessZero();
        }

        @Override
        public void put() {
            count.put();
        }

        @Override
        public int references() {
            return count.count();
        }
    }

    private static void fails(Errno errno, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void aFileGetsTheLowestFreeNumberAndItsReferenceGoesWithIt() {
        TestFile file = new TestFile();
        assertThat(files.install(new TestFile())).isZero();
        assertThat(files.install(file)).isEqualTo(1);
        assertThat(files.install(new TestFile())).isEqualTo(2);
        files.close(1);
        assertThat(file.released).hasValue(1);
        assertThat(files.install(new TestFile())).isEqualTo(1);
        assertThat(files.count()).isEqualTo(3);
    }

    @Test
    void aFullTableLeavesTheReferenceWithTheCaller() {
        for (int i = 0; i < 4; i++) {
            files.install(new TestFile());
        }
        TestFile file = new TestFile();
        fails(Errno.EMFILE, () -> files.install(file));
        assertThat(file.references()).isEqualTo(1);
        fails(Errno.EMFILE, () -> files.duplicate(2));
        assertThat(files.get(2).references()).isEqualTo(2);
    }

    @Test
    void whatIsNotOpenIsABadDescriptor() {
        for (int fd : new int[] {-1, 0, 3, 4, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            fails(Errno.EBADF, () -> files.get(fd));
            fails(Errno.EBADF, () -> files.close(fd));
            fails(Errno.EBADF, () -> files.duplicate(fd));
        }
        assertThatThrownBy(() -> files.get(7))
                .hasMessageContaining("test")
                .hasMessageContaining("7");
    }

    @Test
    void aSecondNumberKeepsTheFileOpen() {
        TestFile file = new TestFile();
        int first = files.install(file);
        int second = files.duplicate(first);
        files.close(first);
        assertThat(file.released).hasValue(0);
        assertThat(files.get(second)).isSameAs(file);
        file.put();
        files.closeAll();
        assertThat(file.released).hasValue(1);
        assertThat(files.count()).isZero();
    }

    @Test
    void aTableWithoutRoomIsRefused() {
        fails(Errno.EINVAL, () -> new FileTable("test", 0));
    }

    /** A file whose number goes to another one while somebody gets it. */
    private TestFile replacedBy(TestFile other, boolean beforeItIsHeld) {
        return new TestFile() {
            @Override
            public boolean getUnlessZero() {
                if (beforeItIsHeld) {
                    files.close(0);
                    files.install(other);
                }
                boolean held = super.getUnlessZero();
                if (!beforeItIsHeld) {
                    files.close(0);
                    files.install(other);
                }
                return held;
            }
        };
    }

    @Test
    void aNumberThatGoesToAnotherFileMeanwhileGivesTheOther() {
        for (boolean before : new boolean[] {true, false}) {
            TestFile other = new TestFile();
            TestFile first = replacedBy(other, before);
            files.install(first);
            assertThat(files.get(0)).isSameAs(other);
            assertThat(other.references()).isEqualTo(2);
            assertThat(first.released).hasValue(1);
            files.close(0);
            other.put();
        }
    }

    /** Another thread closes the number meanwhile. */
    @Test
    void aDescriptorThatIsClosedMeanwhileIsGotWholeOrNotAtAll() throws InterruptedException {
        AtomicInteger whole = new AtomicInteger();
        Thread closer =
                Thread.ofPlatform()
                        .start(() -> {
                            for (int i = 0; i < ROUNDS; i++) {
                                files.close(files.install(new TestFile()));
                            }
                        });
        while (closer.isAlive()) {
            try {
                TestFile file = (TestFile) files.get(0);
                assertThat(file.released).as("got after its end").hasValue(0);
                file.put();
                whole.incrementAndGet();
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EBADF);
            }
        }
        closer.join();
        assertThat(files.count()).isZero();
    }
}
