# Sourced by the scripts beside it: where things lie, beside what e2e/node/lib.sh says.
# shellcheck shell=bash
nodes_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../node" && pwd)
. "$nodes_scripts/lib.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$tools/kubernetes

# Joins the machine and a node by a link, and sets `address` to the node's and `machine` to the machine's end of it: link NAME
# The addresses are those that RFC 2544 keeps for tests of networks; an interface's name is taken once.
link() {
  local n pid inside=("$nodes_scripts/nodens" "$1" exec)
  pid=$("$nodes_scripts/nodens" "$1" pid)
  for ((n = 1; n < 255; n++)); do
    if ip link add "atoll$n" type veth peer name node0 netns "$pid" 2>/dev/null; then break; fi
  done
  machine=198.18.$n.1 address=198.18.$n.2
  ip address add "$machine/24" dev "atoll$n"
  ip link set "atoll$n" up
  "${inside[@]}" ip address add "$address/24" dev node0
  "${inside[@]}" ip link set node0 up
  "${inside[@]}" ip route add default via "$machine"
}

# Fails before anything is started if what install_atoll takes is missing.
require_installer() {
  [ -x "$tools/helm/helm" ] || fail "no helm in $tools/helm: make it with $nodes_scripts/prepare chart"
  [ -s "$checkout/target/image/atoll.tar" ] || fail "no image of the installer in target/image: make image"
}

# Installs Atoll by its chart in the cluster of KUBECONFIG, whose nodes have its image, as a user does it: with the chart's default values but for what
# is named here. Returns when all nodes take guests: install_atoll [OPTION OF HELM...]
install_atoll() {
  "$tools/helm/helm" install atoll "$checkout/deploy/chart" --namespace atoll-system --create-namespace --wait --timeout 3m \
    --set 'runtimeClasses.names={wasmtime,wasmtime-restricted}' "$@" ||
    { "$programs/kubectl" --namespace atoll-system logs daemonset/atoll --all-containers; return 1; }
  "$programs/kubectl" wait node --all --for='jsonpath={.metadata.labels.atoll\.dev/wasmtime}=ready' --timeout=90s
}
