/*
 * The C ABI of libatoll_engine.so: what Atoll's daemon asks of the embedded Wasmtime.
 *
 * One shape for every function, so that a foreign-function binding links one descriptor:
 *
 *     int64_t f(int64_t a, int64_t b, const uint8_t *in, int64_t in_len, uint8_t *out, int64_t out_cap);
 *
 *   a, b     numbers; their meaning stands above each function, 0 where unused
 *   in       UTF-8 text (JSON where named), in_len bytes, borrowed until the call returns; NULL with 0 where unused
 *   out      a buffer of the caller, out_cap bytes, written before the call returns; NULL with 0 is allowed
 *
 * Result >= 0: success. A function that returns text or records says how many bytes or records it has; text longer than
 * out_cap is cut there, so a result larger than out_cap means "call again with this much room".
 * Result < 0: one of the ATOLL_E codes, and `out` holds one line of UTF-8 text, cut to out_cap - 1 and ended by NUL, that
 * names the thing, what was expected, what was found and what to do. There is no "last error".
 *
 * Handles are ids, never pointers: a stale id is ATOLL_ENOENT, not a crash. Ids are never reused.
 * Every function may be called from any thread at any time, and returns without waiting for a guest or a compilation;
 * atoll_poll alone waits, and only one thread may be inside it. No function calls back.
 * A panic inside is caught and comes back as ATOLL_EINTERNAL.
 */
#ifndef ATOLL_ENGINE_H
#define ATOLL_ENGINE_H

#include <stdint.h>

#define ATOLL_ABI 5

enum {
    ATOLL_EINVAL = -1,    /* the request, the program or a value in it is not acceptable */
    ATOLL_ENOENT = -2,    /* no such engine, view, module or guest, or no such file inside a view */
    ATOLL_ESTATE = -3,    /* not possible in the present state, e.g. start of a started guest */
    ATOLL_EEXHAUSTED = -4,/* no slot, descriptor or memory left */
    ATOLL_EIO = -5,       /* a system call failed; the text names it and the errno */
    ATOLL_EINTERNAL = -6, /* a bug: caught panic */
    ATOLL_ENOTSUP = -7,   /* known, and deliberately not offered */
    ATOLL_EBUSY = -8,     /* not while that much is in use */
};

#define ATOLL_FUNCTION(name)                                                                                           \
    int64_t name(int64_t a, int64_t b, const uint8_t *in, int64_t in_len, uint8_t *out, int64_t out_cap)

/* Returns ATOLL_ABI. */
ATOLL_FUNCTION(atoll_abi);

/*
 * New engine. in: JSON {"maxGuests": n (0: as many as vm.max_map_count allows), "workers": n (0: one per core),
 * "memory": bytes for all guests together (0: no limit)}.
 * Returns the engine's id.
 */
ATOLL_FUNCTION(atoll_engine_new);

/* a: engine. Returns the length of, and writes, JSON
 * {"wasmtime": "48.0.8", "compatibility": "<hex>", "slots": n, "live": n, "modules": n, "views": n,
 * "memoryLimit": bytes (0: none), "memoryUsed": bytes}. "slots" are those for commands; servers have their own.
 * `compatibility` names everything compiled code depends on (engine version and settings, CPU features). */
ATOLL_FUNCTION(atoll_engine_describe);

/* a: engine, b: milliseconds to let guests end before they are killed. Ends its threads; the id is gone afterwards. */
ATOLL_FUNCTION(atoll_engine_close);

/*
 * a: engine, b: milliseconds to wait for at least one event (0: look only). out: room for out_cap / 64 records.
 * Returns the number of records written; 0 after the wait, or after atoll_wake.
 *
 *     struct atoll_event {          // little endian, 64 bytes
 *         uint64_t id;              //  0 guest or module
 *         uint32_t kind;            //  8 ATOLL_EVENT_*
 *         int32_t code;             // 12 see the kinds
 *         uint64_t created_ns;      // 16 CLOCK_MONOTONIC, as are the next three; 0 where it did not come to that
 *         uint64_t started_ns;      // 24 start was called
 *         uint64_t entered_ns;      // 32 the guest's first instruction was about to run
 *         uint64_t ended_ns;        // 40
 *         uint64_t cpu_ns;          // 48 thread CPU time of the guest
 *         uint64_t peak_bytes;      // 56 highest memory
 *     };
 */
ATOLL_FUNCTION(atoll_poll);
/* a: engine. Makes the present or next atoll_poll return. */
ATOLL_FUNCTION(atoll_wake);

enum {
    ATOLL_EVENT_EXITED = 1,        /* code: exit status the guest chose, 0..255; 0 for a server that was asked to stop */
    ATOLL_EVENT_TRAPPED = 2,       /* the trap was written to the guest's stderr; text by atoll_guest_text */
    ATOLL_EVENT_OUT_OF_MEMORY = 3, /* ended because it crossed its memory limit */
    ATOLL_EVENT_SIGNALLED = 4,     /* code: the signal given to atoll_guest_kill */
    ATOLL_EVENT_FAILED = 5,        /* could not be instantiated, or a host panic; text by atoll_guest_text */
    ATOLL_EVENT_MODULE = 16,       /* a module is ready (code 0) or failed (code: ATOLL_E*); text by atoll_module_info */
};
/* A guest's end event comes when its streams are drained and closed (discarded when it was killed), once per guest. */

/*
 * Files. A view is a private mount namespace that lives as long as its id.
 * a: engine. in: JSON {
 *   "rootfs": [{"type": "overlay", "source": "overlay", "options": ["lowerdir=..", ..]}, ..],  as in CreateTaskRequest; may be []
 *   "rootDirectory": "/bundle/rootfs",      an existing directory to use when rootfs is []
 *   "readonly": false,
 *   "mounts": [{"destination": "/data", "source": "/host/dir-or-file" or absent, "type": "bind" | "tmpfs",
 *               "readonly": true, "recursive": true, "options": ["size=64k"]}, ..]   in this order
 *     "recursive": with what is mounted below the source, which stays writable unless "rro" is among the options
 * }
 * Missing mount points are made inside the root without following links out of it. Everything is mounted nosuid,nodev;
 * /dev is a small tmpfs with null, zero, random, urandom. Nothing is mounted outside the view.
 * Returns the view's id.
 */
ATOLL_FUNCTION(atoll_view_new);
/* a: view. in: path inside the view. Opens a regular file for reading, links resolved inside the view.
 * Returns a file descriptor, close-on-exec, that the caller owns. */
ATOLL_FUNCTION(atoll_view_open);
/* a: view. Unmounts everything once the last guest using it is dropped. */
ATOLL_FUNCTION(atoll_view_drop);

/*
 * Programs. a: engine. in: JSON either {"name": "hello.wasm", "source": "/path", "output": "/path", "owner": "pod"}: compile the file
 * `source` (binary or text format) and write the compiled code to the new file `output` (mode 0600), or
 * {"name": .., "precompiled": "/path"}: map compiled code that this engine wrote and whose integrity the caller has checked.
 * Programs of one owner are compiled one after the other, and owners take turns; without an owner each is its own.
 * The files may be removed once the module's event has come.
 * Returns the module's id at once; ATOLL_EVENT_MODULE follows.
 */
ATOLL_FUNCTION(atoll_module_load);
/* a: module. Returns the length of, and writes, JSON {"state": "loading" | "ready" | "failed", "error": "..",
 * "code": -1, "kind": "module" | "component", "compileNanos": CPU time, "exports": ["_start", ..]}. The container of the first
 * guest made of a module that was compiled has that time on its account. */
ATOLL_FUNCTION(atoll_module_info);
/* a: module. Guests that use it keep it. */
ATOLL_FUNCTION(atoll_module_drop);

/*
 * Policies: what guests may reach. a: engine. in: JSON {
 *   "name": "default",                      for messages
 *   "allow": ["*.example.com:443", ..],     absent: everything that is not denied
 *   "deny": ["169.254.169.254", ..],        wins over "allow"
 *   "maxSockets": n                         open sockets of one guest, those of outgoing HTTP included; 0: no limit
 * }
 * A rule is TARGET or TARGET:PORTS. TARGET: "*" (anything), a host name, "*.NAME" (every name below NAME), an address or a
 * CIDR; IPv6 in brackets where ports follow. PORTS: "443" or "8000-8100". A guest may connect to an address that an address
 * rule allows, or that a name server told it of a name that a name rule allows: /etc/hosts and servers on the guest's own
 * loopback open nothing, and with name rules /etc/resolv.conf counts as it was when the guest was made. A name server need
 * not be allowed, but one that is denied is not asked. The guest's own loopback is no outgoing traffic,
 * unless it shares the node's network.
 * Returns the policy's id, which lives as long as the engine.
 */
ATOLL_FUNCTION(atoll_policy_new);

/*
 * Guests. a: engine, b: module (ready). in: JSON {
 *   "name": "pod/container for messages", "view": id or 0,
 *   "args": ["/app.wasm", ..], "env": ["K=V", ..], "cwd": "/",
 *   "export": "name" or absent (`_start`, wasi:http/incoming-handler or wasi:cli/run); of a component also
 *             "interface#function", where "wasi:cli/run@0.2.x#run" is the command also of what serves HTTP,
 *   "stdin": "/path", "stdout": "/path", "stderr": "/path",   FIFO, regular file or character device; absent: nothing
 *   "terminal": {"columns": n, "rows": n},    absent: none; else the guest's streams are one terminal, whose other side is
 *                                             moved from "stdin" and to "stdout"; "stderr" must be absent
 *   "joins": id,                              a guest that has not ended: both are one container and share its limits and its
 *                                             account, so neither "memoryLimit" nor "cpu" may be given; absent or 0: none
 *   "memoryLimit": bytes (0 or absent: none), of linear memories, tables, instances and what the host buffers
 *   "cpu": {                                  as of a cgroup; absent: no quota, the usual weight
 *     "quotaMicros": n (not positive: none), "periodMicros": n (1000 to 1000000, default 100000), "burstMicros": n,
 *     "shares": n                             cpu.shares, 2 to 262144; 0: 1024
 *   },
 *   "user": {                                 for everything about files; absent: root, with all of these capabilities
 *     "uid": 1000, "gid": 1000, "groups": [2000, ..],
 *     "umask": 18,                            absent: 022 in octal, which is 18
 *     "capabilities": ["CAP_DAC_OVERRIDE", ..]   CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER and CAP_FSETID have an
 *   },                                        effect, others none; absent: none
 *   "maxOpenFiles": n,                        files and directories of all instances (0 or absent: no limit)
 *   "network": {                              absent: none, every socket is refused
 *     "namespace": "/run/netns/x",            absent: the node's
 *     "fresh": false,                         true, without "namespace": a new one with nothing but its loopback
 *     "policy": id                            absent: everything is allowed
 *   },
 *   "http": {                                 for programs that export wasi:http/incoming-handler; each absent: the default
 *     "address": "0.0.0.0:8080",              where to listen; ":8080" is that port of all addresses, IPv6 and IPv4
 *     "requestTimeoutMillis": 60000,          until the head of the response, else 504
 *     "headerTimeoutMillis": 10000,           for a request's head to arrive, from its first byte
 *     "idleTimeoutMillis": 120000,            for the next request on a connection
 *     "stallTimeoutMillis": 30000,            without progress of a body, in either direction
 *     "maxHeaderBytes": 65536, "maxBodyBytes": 0 (no limit),
 *     "maxConcurrent": 100, "maxQueued": 1000,   requests in progress and waiting; beyond, 503 with Retry-After
 *     "queueTimeoutMillis": 10000,            how long a request waits for its turn, then 503
 *     "maxConnections": 16384,                beyond, connections wait in the kernel's queue
 *     "reuseRequests": 1,                     how many requests an instance serves before it is replaced
 *     "reuseIdleMillis": 10000,               how long an unused instance is kept
 *     "drainMillis": 3000                     how long new requests are still taken after atoll_guest_stop
 *   }
 * }
 * Opens the streams (a FIFO never blocks here), checks imports, entry, address and arguments. Nothing runs yet.
 * Names are resolved by the view's /etc/hosts and /etc/resolv.conf. Outgoing TLS trusts the view's certificates (SSL_CERT_FILE
 * in "env", else the usual places), else the node's.
 * Returns the guest's id.
 */
ATOLL_FUNCTION(atoll_guest_new);
/* a: guest. A server listens when this returns; ATOLL_EIO if it cannot. */
ATOLL_FUNCTION(atoll_guest_start);
/* a: guest. in: JSON {"memoryLimit": bytes, "cpu": {..}} as in atoll_guest_new, each member optional: what is absent stays as
 * it is. Changes the limits of the guest's container at once. ATOLL_EBUSY if the memory limit is below what is used,
 * ATOLL_ESTATE if the guest has ended. */
ATOLL_FUNCTION(atoll_guest_update);
/* a: guest, b: signal number. Asks it to end: a server goes on taking requests for "drainMillis", finishes those in progress,
 * and ends with ATOLL_EVENT_EXITED and code 0; of every other guest this is atoll_guest_kill. */
ATOLL_FUNCTION(atoll_guest_stop);
/* a: guest, b: signal number, reported back in ATOLL_EVENT_SIGNALLED. Ends the guest at once, also in a loop, a sleep or a
 * host call. Of a guest that was not started: the event follows too. Of one that has ended: ATOLL_ESTATE. */
ATOLL_FUNCTION(atoll_guest_kill);
/* a: guest. Lets go of the writer that keeps a stdin FIFO open: the guest sees end of file once every other writer is gone. */
ATOLL_FUNCTION(atoll_guest_close_stdin);
/* a: guest with a terminal, b: columns << 16 | rows. */
ATOLL_FUNCTION(atoll_guest_resize);
/* a: guest. out: 22 uint64_t: of its container: cpu_ns, memory bytes, peak bytes; bytes written to stdout, to stderr, bytes
 * read from stdin, started_ns, ended_ns; of a server: requests answered by the guest, requests that it failed (500, or cut
 * off), requests turned away (400, 408, 413, 503, 504), requests in progress, open connections; of its network: open sockets,
 * what the policy refused; instances that exist; of its container: periods of the CPU quota in which it ran, those of them in
 * which the quota was used up, nanoseconds for which it had to wait for that, memory limit (0: none), bytes that the host
 * buffers, guests that a memory limit has ended. Returns 176. */
ATOLL_FUNCTION(atoll_guest_stat);
/* a: guest. Returns the length of, and writes, the text of a trap or failure; 0 where there is none. */
ATOLL_FUNCTION(atoll_guest_text);
/* a: guest that has ended or was never started. Releases everything of it. Of a running guest: ATOLL_ESTATE. */
ATOLL_FUNCTION(atoll_guest_drop);

#endif
