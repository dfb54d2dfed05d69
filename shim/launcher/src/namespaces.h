#ifndef ATOLL_NAMESPACES_H
#define ATOLL_NAMESPACES_H

// For the daemon: makes namespaces that native containers of a pod share, since the pod's pause has no
// process to take them from.
//
//     namespaces [--ipc] [--uts=HOSTNAME] [--pid] [--network=PATH] [--sysctl=NAME=VALUE]...
//
// Writes the line `ready` when they are there, in this process' /proc/PID/ns (`pid_for_children`), and holds
// them until its standard input ends. Without --pid nothing is lost then, if somebody else has opened them;
// with it the namespace's first process ends, and so does everything in it. --network only says where sysctls
// of the network are written. What it cannot do, it writes in one line instead, and returns a failure.
int namespaces_run(int count, char *const arguments[]);

// How the first process of a pod's process namespace is called: what users see as process 1.
#define INIT_NAME "pause"

// The life of that process. Reaps orphans until its parent ends; never returns before.
int namespaces_init_run(void);

#endif
