/// Reads JSON that comes from outside: strictly (RFC 8259), bounded in size and depth, and with
/// errors that name the place in the document. The only package that knows Gson's tree; used by
/// `spec` and `image`.
@NullMarked
package dev.atoll.oci.json;

import org.jspecify.annotations.NullMarked;
