/// What a guest can reach: network namespace and policy. Values only.
@NullMarked
package dev.atoll.sandbox.network;

import org.jspecify.annotations.NullMarked;
