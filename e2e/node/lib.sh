# Sourced by the scripts beside it: where things lie, and how they speak.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
tools=$checkout/target/tools
# Nodes live on a real disk: containerd's overlay snapshots cannot lie on an overlay or tmpfs.
nodes=${ATOLL_NODES:-/var/tmp/atoll-nodes}

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() { say "$*"; exit 1; }

# Waits until the command succeeds: until_ok SECONDS WHAT COMMAND...
until_ok() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$end" ] || { say "gave up waiting for $what"; return 1; }
    sleep 0.05
  done
}

# The directories of the cgroup hierarchies: one on cgroup v2, one per controller on v1.
hierarchies() {
  awk '$0 ~ / - cgroup2? / { print $5 }' /proc/self/mountinfo
}
