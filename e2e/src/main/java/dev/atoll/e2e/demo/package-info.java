/// The demonstration that `make demo` runs.
@NullMarked
package dev.atoll.e2e.demo;

import org.jspecify.annotations.NullMarked;
