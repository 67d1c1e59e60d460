package org.peerlane.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.peerlane.testkit.GoldenRow.Answer;

@DisplayName("A row of a golden table")
class GoldenRowTest {
    private static GoldenRow row(String name, String arguments) {
        return new GoldenRow("heap", name, "mmap", arguments, "-EINVAL", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"heap", "sync", "vfio_ivshmem_amd"})
    void isReadAsTheRecorderWroteIt(String table) throws IOException {
        List<GoldenRow> rows = GoldenRow.of(table);
        assertThat(rows).isNotEmpty().allMatch(row -> row.table().equals(table));
        assertThat(rows).extracting(GoldenRow::name).doesNotHaveDuplicates();
        assertThat(rows).extracting(GoldenRow::result).doesNotContain("", "result");
    }

    @Test
    void knowsItsScenario() {
        GoldenRow first = row("heap.mmap.1", "");
        assertThat(first.isOfScenarioOf(row("heap.mmap.12", ""))).isTrue();
        assertThat(first.isOfScenarioOf(row("heap.mmap_ro.1", ""))).isFalse();
        assertThat(first.answer()).isEqualTo(new Answer("-EINVAL", ""));
    }

    @Test
    void readsNumbersAsTheyAreWritten() {
        GoldenRow row = row("heap.mmap.1", "len=0x8000000000000001 fd_flags=02002 prot=3 off=0");
        assertThat(row.field("len")).isEqualTo(Long.MIN_VALUE + 1);
        assertThat(row.field("fd_flags")).isEqualTo(1026);
        assertThat(row.field("prot")).isEqualTo(3);
        assertThat(row.field("off")).isZero();
        assertThatThrownBy(() -> row.field("flags")).hasMessageContaining("has no flags");
    }
}
