package org.peerlane.shell.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.peerlane.bus.api.PcieAddress;
import org.peerlane.iommu.api.DomainInfo;
import org.peerlane.iommu.api.DomainKind;
import org.peerlane.iommu.api.FaultReason;
import org.peerlane.iommu.api.FaultRecord;
import org.peerlane.iommu.api.IommuDebug;
import org.peerlane.iommu.api.IotlbEntry;
import org.peerlane.iommu.api.TableFormat;
import org.peerlane.iommu.api.TableWalk;
import org.peerlane.kernel.api.ErrnoException;
import org.peerlane.kernel.api.Iova;
import org.peerlane.kernel.api.PhysicalAddress;
import org.peerlane.shell.pci.FakeBus;
import org.peerlane.shell.pci.FakeFunction;

@DisplayName("iommu:")
class IommuCommandTest {
    private static final PcieAddress EDU = PcieAddress.parse("03:00.0");

    private final IommuCommand command =
            new IommuCommand(
                    new FakeBus(
                            new FakeFunction("03:00.0", 0x1234, 0x11E8, 0x00FF00, 0).in("edu0")));

    /** An IOMMU that finds one page for every address, and remembers the PASID. */
    private static final class OnePage implements IommuDebug {
        int pasid;

        @Override
        public List<DomainInfo> domains() {
            return List.of();
        }

        @Override
        public TableWalk walk(PcieAddress requester, int asked, long iova) {
            pasid = asked;
            return new TableWalk(
                    Optional.of(DomainKind.PAGING),
                    3,
                    List.of(
                            new TableWalk.Step(
                                    0, new PhysicalAddress(0x5000), 7, 0x9001, "page [R]")),
                    Optional.of(new PhysicalAddress(0x9123)),
                    4096,
                    Optional.empty(),
                    Optional.of(FaultReason.WRITE_DENIED));
        }

        @Override
        public List<IotlbEntry> iotlb(PcieAddress requester) {
            return List.of(
                    new IotlbEntry(
                            3, new Iova(0x7000), new PhysicalAddress(0x9000), 4096, true, false));
        }

        @Override
        public void clearFaults() {}
    }

    @Test
    void walkShowsEachLevelAndWhatComesOfIt() {
        OnePage iommu = new OnePage();
        command.debug = iommu;
        assertThat(command.walk("edu0", "0x7123").lines())
                .containsExactly(
                        "0000:03:00.0 iova 0x7123: paging domain 3",
                        "level 0  table 0x5000  index   7  entry 0x0000000000009001  page [R]",
                        "read     goes to physical 0x9123",
                        "write    blocked: write denied (0x5)");
        assertThat(iommu.pasid).isEqualTo(-1);
        assertThat(command.walk("03:00.0", "28963", "5")).startsWith("0000:03:00.0 PASID 5 iova");
        assertThat(iommu.pasid).isEqualTo(5);
        assertThat(command.iotlb("edu0"))
                .isEqualTo("domain 3  iova 0x7000  physical 0x9000  0x1000 bytes  R-");
        assertThat(command.domains()).isEqualTo("no domains");
    }

    @ParameterizedTest(name = "iommu:walk {0} {1} {2}")
    @CsvSource({
        "edu0, 0xzz, 1, EINVAL: IOVA '0xzz'; expected a number from 0 to 0xffffffffffffffff",
        "edu0, 1, 1048576, EINVAL: PASID '1048576'; expected a number from 0 to 0xfffff",
        "edu9, 1, 1, ENODEV: there is no function 'edu9'",
        "1:2, 1, 1, EINVAL: '1:2' is no PCIe address"
    })
    void aMistakeIsNamed(String requester, String iova, String pasid, String sentence) {
        command.debug = new OnePage();
        assertThatThrownBy(() -> command.walk(requester, iova, pasid))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith(sentence);
    }

    @Test
    void withoutAnIommuEachSaysSo() {
        assertThatThrownBy(command::domains).hasMessageContaining("this machine has no IOMMU");
        assertThatThrownBy(command::faults).hasMessageContaining("this machine has no IOMMU");
        assertThatThrownBy(() -> command.faults("-x")).hasMessageContaining("-x; expected");
    }

    @Test
    void domainsShowWhoIsInThem() {
        assertThat(
                        IommuText.domains(
                                List.of(
                                        new DomainInfo(
                                                1,
                                                DomainKind.PAGING,
                                                Optional.of(TableFormat.AMDV1),
                                                3,
                                                2,
                                                0x3000,
                                                List.of(
                                                        new DomainInfo.Attachment(EDU, -1),
                                                        new DomainInfo.Attachment(EDU, 9))))))
                .isEqualTo(
                        """
                        id  kind      format  levels  mappings  bytes       attached
                        1   paging    amdv1   3       2         0x3000      0000:03:00.0, 0000:03:00.0 PASID 9\
                        """);
    }

    @Test
    void faultsNameRequesterDirectionAddressAndReason() {
        var fault = new FaultRecord(EDU, -1, new Iova(0x7000), true, FaultReason.WRITE_DENIED);
        assertThat(IommuText.faults(List.of(fault), 2).lines())
                .containsExactly(
                        "0000:03:00.0  write  0x7000  write denied (0x5)",
                        "2 more were lost: the record slots were full");
        assertThat(IommuText.faults(List.of(), 0)).isEqualTo("no faults");
    }
}
