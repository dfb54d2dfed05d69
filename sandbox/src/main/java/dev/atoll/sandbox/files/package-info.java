/// What a guest sees as its file system: the policy that turns a runtime spec's mounts into a view.
/// Decides only; the engine mounts.
@NullMarked
package dev.atoll.sandbox.files;

import org.jspecify.annotations.NullMarked;
