package org.peerlane.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.logging.log4j.Level;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.service.log.LogLevel;

@DisplayName("The framework's log")
class LogServiceBridgeTest {
    @ParameterizedTest
    @CsvSource({
        "ERROR, org.apache.felix.configadmin, false, ERROR",
        "ERROR, org.apache.felix.configadmin, true, DEBUG",
        "WARN, org.apache.felix.scr, true, DEBUG",
        "ERROR, org.peerlane.bus.pcie, true, ERROR",
        "WARN, org.peerlane.bus.pcie, false, WARN",
        "AUDIT, org.peerlane.board, false, INFO",
        "TRACE, org.peerlane.board, true, TRACE",
    })
    void onlyWhatTheFrameworksOwnBundlesSayWhileItStopsIsPlayedDown(
            LogLevel said, String bundle, boolean stopping, String expected) {
        assertThat(LogServiceBridge.level(said, bundle, stopping))
                .isEqualTo(Level.valueOf(expected));
    }
}
