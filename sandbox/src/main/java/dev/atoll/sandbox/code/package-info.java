/// Compiled code, once per node and shared by all guests: in memory ([ProgramCache]) and on disk
/// (`CodeDirectory`). Mapping code that somebody has changed would give him the process, hence the
/// checks of owner, mode and digest.
@NullMarked
package dev.atoll.sandbox.code;

import org.jspecify.annotations.NullMarked;
