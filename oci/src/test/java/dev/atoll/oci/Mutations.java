package dev.atoll.oci;

import java.util.Arrays;
import java.util.Random;

/// Makes hostile variants of valid input from a fixed seed, so that a failure can be repeated.
public final class Mutations {
    private final Random random;

    public Mutations(long seed) {
        random = new Random(seed);
    }

    /// Changes, removes or repeats some bytes; sometimes makes all of them up.
    public byte[] of(byte[] valid) {
        if (random.nextInt(20) == 0) {
            byte[] noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] bytes = valid.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 0; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = (byte) "{}[]\":,0-1e.tn\\ ".charAt(random.nextInt(16));
                case 2 -> bytes = Arrays.copyOf(bytes, at);
                default -> bytes = withRepeated(bytes, at);
            }
        }
        return bytes;
    }

    private byte[] withRepeated(byte[] bytes, int at) {
        int length = Math.min(1 + random.nextInt(20), bytes.length - at);
        byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
        System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
        return longer;
    }
}
