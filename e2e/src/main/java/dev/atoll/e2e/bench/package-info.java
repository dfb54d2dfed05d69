/// What Atoll costs beside runc, measured on a test node.
@NullMarked
package dev.atoll.e2e.bench;

import org.jspecify.annotations.NullMarked;
