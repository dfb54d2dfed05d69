package dev.atoll.shim;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

final class ArchitectureTest {
    private static final JavaClasses SHIM =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.atoll.shim");

    @Test
    void transportsKnowNoService() {
        noClasses()
                .that()
                .resideInAnyPackage("..shim.ttrpc..", "..shim.grpc..", "..shim.rpc..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..shim.task..", "..shim.control..", "..shim.events..")
                .check(SHIM);
    }

    @Test
    void tasksKnowNoTransport() {
        noClasses()
                .that()
                .resideInAPackage("..shim.task..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("..shim.ttrpc..", "..shim.grpc..", "..shim.events..")
                .check(SHIM);
    }

    @Test
    void onlyThePackageGrpcKnowsGrpc() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..shim.grpc..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.grpc..")
                .check(SHIM);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.atoll.shim.(*)..").should().beFreeOfCycles().check(SHIM);
    }
}
