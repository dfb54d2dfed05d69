/// Where a program runs: pods, guests, their files, streams and limits. The shim comes in through
/// [WorkloadFactory].
@NullMarked
package dev.atoll.sandbox;

import org.jspecify.annotations.NullMarked;
