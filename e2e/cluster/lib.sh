# Sourced by the scripts beside it: where things lie, beside what e2e/node/lib.sh says.
# shellcheck shell=bash
nodes_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../node" && pwd)
. "$nodes_scripts/lib.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$tools/kubernetes
