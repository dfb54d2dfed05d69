/// Wasm guests and virtual pauses as workloads; [WasmSandbox] makes them out of view, code and
/// engine.
@NullMarked
package dev.atoll.sandbox.guest;

import org.jspecify.annotations.NullMarked;
