/// Holds the documents to what is there.
@NullMarked
package dev.atoll.e2e.docs;

import org.jspecify.annotations.NullMarked;
