package dev.atoll.oci.spec;

import static org.assertj.core.api.Assertions.fail;

import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.Mutations;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class RuntimeSpecFuzzTest {
    @Test
    void brokenSpecsGiveARecordOrInvalidSpecInOneLine() {
        var mutations = new Mutations(1);
        byte[] valid = RuntimeSpecReaderTest.WORKLOAD.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = mutations.of(valid);
            try {
                RuntimeSpecReader.parse(bytes, "a1");
            } catch (InvalidSpec e) {
                if (String.valueOf(e.getMessage()).contains("\n")) {
                    fail("two lines: %s", e.getMessage());
                }
            } catch (RuntimeException e) {
                fail("run %d: %s".formatted(i, new String(bytes, StandardCharsets.UTF_8)), e);
            }
        }
    }
}
