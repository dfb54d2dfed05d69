/// How nodes get Atoll: the `atoll` command line and the distribution.
@NullMarked
package dev.atoll.deploy;

import org.jspecify.annotations.NullMarked;
