package dev.atoll.sandbox;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ArchitectureTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.atoll.sandbox");

    @Test
    void onlyTheEngineCallsForeignFunctions() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..sandbox.engine..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(CLASSES);
    }

    @Test
    void noArenaIsLeftToTheGarbageCollector() {
        noClasses().should().callMethod(java.lang.foreign.Arena.class, "ofAuto").check(CLASSES);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("dev.atoll.sandbox.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void theContractKnowsNoneOfItsImplementations() {
        noClasses()
                .that()
                .resideInAPackage("dev.atoll.sandbox")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.atoll.sandbox.*..")
                .check(CLASSES);
    }

    @Test
    void nothingDependsOnTheShimOrTheDistribution() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.atoll.shim..", "dev.atoll.deploy..")
                .check(CLASSES);
    }

    @Test
    void everyRestrictedCallSaysWhyItIsSafe() throws IOException {
        for (Path source : sources()) {
            String text = Files.readString(source);
            if (text.contains("@SuppressWarnings(\"restricted\")")
                    || text.contains("reinterpret(")) {
                assertThat(text).as(source.toString()).contains("// SAFETY:");
            }
        }
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            return files.filter(path -> path.toString().endsWith(".java")).toList();
        }
    }
}
