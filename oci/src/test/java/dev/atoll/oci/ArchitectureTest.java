package dev.atoll.oci;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

final class ArchitectureTest {
    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.atoll.oci");

    @Test
    void onlyTheRegistryUsesOras() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..oci.registry..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("land.oras..", "dev.atoll.oci.registry..")
                .check(CLASSES);
    }

    @Test
    void onlyTheContainerdClientUsesGrpcAndItsMessages() {
        noClasses()
                .that()
                .resideOutsideOfPackage("..oci.containerd..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.grpc..", "dev.atoll.containerd..", "com.google.protobuf..")
                .check(CLASSES);
    }

    @Test
    void gsonStaysWithTheJsonReaderAndTheRegistry() {
        noClasses()
                .that()
                .resideOutsideOfPackages("..oci.json..", "..oci.registry..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.google.gson..")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.atoll.oci.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void nothingCallsNativeCode() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(CLASSES);
    }
}
