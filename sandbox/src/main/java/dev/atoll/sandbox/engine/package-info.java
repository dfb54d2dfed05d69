/// The only foreign-function code: the binding of `sandbox/native/include/atoll_engine.h`.
@NullMarked
package dev.atoll.sandbox.engine;

import org.jspecify.annotations.NullMarked;
