package spellshield.tools;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// Pins what `docs/ARCHITECTURE.md` says about who may know whom.
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("spellshield");

  @Test
  void the_direction_is_index_sampler_tools() {
    noClasses()
        .that()
        .resideInAPackage("spellshield.index..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("spellshield.sampler..", "spellshield.tools..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("spellshield.sampler..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("spellshield.tools..")
        .check(CLASSES);
  }

  @Test
  void packages_have_no_cycles() {
    slices().matching("spellshield.index.(*)..").should().beFreeOfCycles().check(CLASSES);
    slices().matching("spellshield.sampler.(*)..").should().beFreeOfCycles().check(CLASSES);
    slices().matching("spellshield.tools.(*)..").should().beFreeOfCycles().check(CLASSES);
    // The root package uses all below it; nothing below uses the root.
    noClasses()
        .that()
        .resideInAPackage("spellshield.index.*..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("spellshield.index")
        .check(CLASSES);
  }

  @Test
  void each_foreign_library_has_one_door() {
    only("jdk.incubator.vector..", "spellshield.index.kernel");
    only("org.nd4j..", "spellshield.index.linalg");
    only("org.apache.lucene..", "spellshield.index.search", "spellshield.index");
    only("ai.djl..", "spellshield.sampler.tokenizer");
    only("ai.onnxruntime..", "spellshield.sampler.onnx");
    only("picocli..", "spellshield.tools");
    only("org.apache.commons.compress..", "spellshield.tools.source");
    only("dev.hardwood..", "spellshield.tools.parquet");
  }

  @Test
  void only_the_command_line_prints_and_ends_the_process() {
    noClasses()
        .that()
        .resideOutsideOfPackage("spellshield.tools..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(System.class, "exit", int.class)
        .check(CLASSES);
  }

  @Test
  void within_the_index_only_the_store_touches_the_disk() {
    noClasses()
        .that()
        .resideInAPackage("spellshield.index..")
        .and()
        .resideOutsideOfPackage("spellshield.index.store")
        .and()
        // It reads what Linux says of the processor, and nothing of a set.
        .doNotHaveFullyQualifiedName("spellshield.index.kernel.Processor")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.nio.file.Files")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("java.nio.channels")
        .check(CLASSES);
  }

  private static void only(String library, String... doors) {
    noClasses()
        .that()
        .resideInAPackage("spellshield..")
        .and()
        .resideOutsideOfPackages(doors)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(CLASSES);
  }
}
