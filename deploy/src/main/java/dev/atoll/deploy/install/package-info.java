/// Puts Atoll on a node and takes it away again: files, containerd's configuration, the service of
/// the daemon. The command line calls [Installer] and [Uninstaller]; everything is done on the
/// calling thread.
///
/// A node is changed in [Step]s. Each looks at what is there, does only what is missing, and
/// changes a file by renaming a complete new one over it; so a run that was killed anywhere is
/// completed by the next, and what a node would start with in between is either the old state or
/// the new.
@NullMarked
package dev.atoll.deploy.install;

import org.jspecify.annotations.NullMarked;
