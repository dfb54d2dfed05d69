#!/usr/bin/env bash
# Time of one launcher execution, 200 runs each: bench.sh LAUNCHER FAKE_DAEMON BENCH
set -euo pipefail
work=$(mktemp -d /tmp/atoll-launcher-bench.XXXXXX)
trap 'kill "$(head -1 "$work/run/starts")" 2>/dev/null || true; rm -rf "$work"' EXIT
cp "$1" "$work/shim"
cp "$2" "$work/atolld"
cd "$work"
export ATOLL_RUN_DIR=$work/run
"$work/shim" -namespace n -id c start </dev/null >/dev/null
for what in "-namespace n -id c start" "-namespace n -id c delete" -info; do
    printf '%-26s ' "$what"
    # shellcheck disable=SC2086
    "$3" 200 "$work/shim" $what </dev/null 2>&1 >/dev/null
done
printf '%-26s ' /bin/true
"$3" 200 /bin/true
