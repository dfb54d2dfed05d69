/// What the cluster is told about a node: the label that the RuntimeClass selects nodes by, and
/// events on the Node object. Everything is done on the calling thread; the command line calls
/// [NodeReport].
@NullMarked
package dev.atoll.deploy.node;

import org.jspecify.annotations.NullMarked;
