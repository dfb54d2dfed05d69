/// Images and artifacts as registries hold them, sound and broken ones.
@NullMarked
package dev.atoll.e2e.image;

import org.jspecify.annotations.NullMarked;
