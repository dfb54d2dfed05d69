package dev.atoll.e2e.image;

import java.io.InputStream;
import java.util.Arrays;

/// So many zero bytes.
final class Zeros extends InputStream {
    private long left;

    Zeros(long count) {
        this.left = count;
    }

    @Override
    public int read() {
        if (left == 0) {
            return -1;
        }
        left--;
        return 0;
    }

    @Override
    public int read(byte[] into, int offset, int length) {
        if (left == 0) {
            return -1;
        }
        int count = (int) Math.min(left, length);
        Arrays.fill(into, offset, offset + count, (byte) 0);
        left -= count;
        return count;
    }
}
