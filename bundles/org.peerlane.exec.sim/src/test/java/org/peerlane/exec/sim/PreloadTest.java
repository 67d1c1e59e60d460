package org.peerlane.exec.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PreloadTest {
    @Test
    void allClassesOfTheSimulatorAreLoadedBeforeTheFirstSchedule() throws Exception {
        Path home =
                Path.of(Preload.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        String in = Preload.class.getPackageName().replace('.', '/');
        List<String> built;
        try (Stream<Path> files = Files.list(home.resolve(in))) {
            built =
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".class"))
                            .map(name -> name.substring(0, name.length() - ".class".length()))
                            .filter(name -> !name.equals("package-info"))
                            .toList();
        }
        assertThat(Preload.CLASSES).containsExactlyInAnyOrderElementsOf(built);
    }
}
