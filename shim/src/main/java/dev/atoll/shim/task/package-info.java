/// containerd's Task service: tasks, their lifecycle and what is answered. Knows no transport.
@NullMarked
package dev.atoll.shim.task;

import org.jspecify.annotations.NullMarked;
