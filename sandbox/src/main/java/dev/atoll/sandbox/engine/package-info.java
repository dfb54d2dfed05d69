/// The only foreign-function code: the binding of `sandbox/native/include/atoll_engine.h`.
///
/// [Engine] is the way in; it hands out [View], [CompiledModule] and [Guest], each of which owns
/// one native id. No signature shows a foreign-function type. No call waits for a guest or a
/// compilation, so all of them may be made under a lock; ends arrive on the one thread of
/// `EngineEvents`, which must not be blocked.
@NullMarked
package dev.atoll.sandbox.engine;

import org.jspecify.annotations.NullMarked;
