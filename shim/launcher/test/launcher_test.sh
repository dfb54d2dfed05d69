#!/usr/bin/env bash
# Drives the launcher against a stand-in for the daemon: launcher_test.sh LAUNCHER FAKE_DAEMON
set -euo pipefail

work=$(mktemp -d /tmp/atoll-launcher.XXXXXX)
fake=$2
mkdir -p "$work/install/bin"
cp "$1" "$work/install/bin/containerd-shim-wasmtime-v1"
cp "$fake" "$work/install/bin/atolld"
launcher=$work/install/bin/containerd-shim-wasmtime-v1
passed=0

# Ends every stand-in that was started, each by its own process id.
end_daemons() {
    local starts pid
    for starts in "$work"/run*/starts; do
        [ -f "$starts" ] || continue
        while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done <"$starts"
    done
}
trap 'end_daemons; umount -l "$work"/bundle*/rootfs 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    printf 'FAILED: %s: %s\n' "$name" "$1" >&2
    [ ! -f "$run/atolld.log" ] || sed 's/^/  log: /' "$run/atolld.log" >&2
    exit 1
}
expect() { [[ $2 == $3 ]] || fail "$1: expected '$3', found '$2'"; }
expect_line() { grep -qxF -- "$3" "$2" || fail "$1: no line '$3' in $(cat "$2")"; }

# A test of its own run directory and bundle.
begin() {
    name=$1
    number=$((${number:-0} + 1))
    run=$work/run$number
    bundle=$work/bundle$number
    mkdir -p "$bundle/rootfs"
    export ATOLL_RUN_DIR=$run
    unset ATOLL_FAKE
}
end() { passed=$((passed + 1)); end_daemons; }

# launch VERB [FLAG...]: sets out, err, status. Reads standard input.
launch() {
    local verb=$1
    shift
    status=0
    (cd "$bundle" && exec "$launcher" -namespace k8s.io -id c1 -address /run/c.sock "$@" "$verb") \
        >"$work/out" 2>"$work/err" || status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
}
killed_response() { [ "$(od -An -tx1 -N3 "$work/out" | tr -d ' \n')" = 108901 ]; }

begin "start prints the address and nothing else"
launch start </dev/null
expect status $status 0
expect out "$out" "unix://$run/ttrpc.sock"
expect "out's size" "$(wc -c <"$work/out")" "$(printf %s "unix://$run/ttrpc.sock" | wc -c)"
expect err "$err" ""
expect address "$(cat "$bundle/address")" "unix://$run/ttrpc.sock"
expect "left in the bundle" "$(ls -A "$bundle" | tr '\n' ' ')" "address rootfs "
expect_line request "$run/requests" "Start 1=k8s.io 2=c1 3=$bundle 5=/run/c.sock"
expect "run directory's mode" "$(stat -c %a "$run")" 700
expect "log's mode" "$(stat -c %a "$run/atolld.log")" 600
launch start -debug </dev/null
expect "daemons started" "$(wc -l <"$run/starts")" 1
expect_line request "$run/requests" "Start 1=k8s.io 2=c1 3=$bundle 5=/run/c.sock 6=1"
end

begin "the daemon gets a clean process"
(
    export JAVA_TOOL_OPTIONS=-Dx NOTIFY_SOCKET=/x LISTEN_FDS=1 ATOLL_EXTRA=1 TTRPC_ADDRESS=/run/c.ttrpc LANG=C.UTF-8
    exec 7</etc/passwd 9>"$work/nine"
    umask 022
    trap '' PIPE USR1
    launch start </dev/null
    expect status $status 0
)
for line in "descriptors 3" "cwd /" "umask 077" "session own" "blocked 0" "sigpipe default" "stdin /dev/null" \
    "argument --run-dir" "argument $run" "argument --containerd" "argument /run/c.sock" \
    "argument --containerd-ttrpc" "argument /run/c.ttrpc" "environment ATOLL_EXTRA=1" "environment LANG=C.UTF-8" \
    "environment PATH=$PATH"; do
    expect_line facts "$run/facts" "$line"
done
! grep -E 'environment (JAVA|NOTIFY|LISTEN|TTRPC|GRPC|NAMESPACE)' "$run/facts" || fail "the environment is not scrubbed"
end

begin "the output ends although the daemon lives on"
result=$(cd "$bundle" && timeout 5 "$launcher" -namespace k8s.io -id c1 start 2>&1 </dev/null)
expect out "$result" "unix://$run/ttrpc.sock"
end

begin "of twenty launchers at once one starts the daemon"
export ATOLL_FAKE=slow
pids=()
for i in $(seq 20); do
    mkdir -p "$bundle/$i"
    (cd "$bundle/$i" && exec "$launcher" -namespace k8s.io -id "c$i" start </dev/null >"$work/out$i" 2>&1) &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a launcher failed: $(cat "$work"/out?*)"; done
for i in $(seq 20); do expect "out of $i" "$(cat "$work/out$i")" "unix://$run/ttrpc.sock"; done
expect "daemons started" "$(wc -l <"$run/starts")" 1
expect requests "$(wc -l <"$run/requests")" 20
end

begin "a launcher that is killed leaves no room for a second daemon"
export ATOLL_FAKE=slow
(cd "$bundle" && exec "$launcher" -namespace k8s.io -id c1 start </dev/null >/dev/null 2>&1) &
pid=$!
until [ -s "$run/starts" ]; do kill -0 "$pid" 2>/dev/null || [ -s "$run/starts" ] || fail "the launcher ended"; done
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
launch start </dev/null
expect status $status 0
expect "daemons started" "$(wc -l <"$run/starts")" 1
end

begin "a daemon that died is started again"
launch start </dev/null
kill -9 "$(cat "$run/starts")"
launch start </dev/null
expect status $status 0
expect "daemons started" "$(wc -l <"$run/starts")" 2
end

begin "a link leads to the daemon beside the real launcher"
mkdir -p "$work/linked"
ln -sf "$launcher" "$work/linked/containerd-shim-wasmtime-v1"
(launcher=$work/linked/containerd-shim-wasmtime-v1 && launch start </dev/null && expect status $status 0)
end

begin "a daemon in ../bin is found, a missing one explained"
mkdir -p "$work/other/libexec" "$work/other/bin"
cp "$launcher" "$work/other/libexec/shim"
(launcher=$work/other/libexec/shim && launch start </dev/null && expect status $status 1 &&
    expect err "$err" "Atoll's daemon is not running, and no program atolld lies beside $work/other/libexec/shim or in ../bin of it: *" &&
    expect out "$out" "")
cp "$fake" "$work/other/bin/atolld"
(launcher=$work/other/libexec/shim && launch start </dev/null && expect status $status 0)
end

begin "a daemon that ends at once is quoted"
export ATOLL_FAKE=fail
launch start </dev/null
expect status $status 1
expect err "$err" "Atoll's daemon could not start (exit status 3): Cannot load the engine: libatoll_engine.so is missing; see $run/atolld.log"
expect lines "$(wc -l <"$work/err")" 1
export ATOLL_FAKE=crash
launch start </dev/null
expect err "$err" "Atoll's daemon could not start (ended by signal 9): it wrote nothing; see $run/atolld.log"
end

begin "a daemon that cannot be executed is explained"
mkdir -p "$work/broken"
cp "$launcher" "$work/broken/shim"
printf '#!/no/such/interpreter\n' >"$work/broken/atolld"
chmod +x "$work/broken/atolld"
(launcher=$work/broken/shim && launch start </dev/null && expect status $status 1 &&
    expect err "$err" "Atoll's daemon could not start (exit status 127): cannot execute $work/broken/atolld: No such file or directory; see *")
end

begin "a long log is put aside"
mkdir -m 700 "$run"
head -c 2000000 /dev/zero >"$run/atolld.log"
launch start </dev/null
expect "old log" "$(stat -c %s "$run/atolld.log.1")" 2000000
[ "$(stat -c %s "$run/atolld.log")" -lt 1000 ] || fail "the log was not begun anew"
end

begin "what the daemon refuses reaches the user word for word"
export ATOLL_FAKE=refuse
launch start </dev/null
expect status $status 1
expect err "$err" "the node is being drained: no container starts here"
expect out "$out" ""
end

for mode in garbage malformed badaddress; do
    begin "hostile reply $mode"
    export ATOLL_FAKE=$mode
    launch start </dev/null
    expect status $status 1
    expect err "$err" "Atoll's daemon answered *"
    expect out "$out" ""
    [ ! -e "$bundle/address" ] || fail "an address was written"
    launch delete </dev/null
    expect status $status 0
    expect err "$err" ""
    end
done

begin "a daemon that hangs up is asked twice"
export ATOLL_FAKE=hangup
launch start </dev/null
expect status $status 1
expect err "$err" "Atoll's daemon ended while it was asked to Start"
expect requests "$(wc -l <"$run/requests")" 2
end

begin "a daemon that is mute is given ten seconds for start, one for delete"
export ATOLL_FAKE=mute
before=$(date +%s%N)
launch start </dev/null
took=$((($(date +%s%N) - before) / 1000000))
expect status $status 1
expect err "$err" "Atoll's daemon does not answer Start in time: it is running but stuck or overloaded"
[ $took -ge 9900 ] && [ $took -lt 12000 ] || fail "start took $took ms"
before=$(date +%s%N)
launch delete </dev/null
took=$((($(date +%s%N) - before) / 1000000))
expect status $status 0
killed_response || fail "no killed response"
[ $took -ge 900 ] && [ $took -lt 2000 ] || fail "delete took $took ms"
end

begin "delete hands on what the daemon knows"
launch start </dev/null
launch delete -bundle "$bundle" </dev/null
expect status $status 0
expect err "$err" ""
expect response "$(od -An -tx1 "$work/out" | tr -d ' \n')" 082a10071a020805
expect_line request "$run/requests" "Delete 1=k8s.io 2=c1 3=$bundle"
end

begin "delete without a daemon starts none, unmounts rootfs and reports 137"
if mount -t tmpfs none "$bundle/rootfs" 2>/dev/null; then
    mount -t tmpfs none "$bundle/rootfs"
else
    printf 'note: may not mount here, so unmounting is not tested\n'
fi
launch delete -bundle "$bundle" </dev/null
expect status $status 0
expect err "$err" ""
killed_response || fail "no killed response"
! grep -q "$bundle/rootfs" /proc/self/mounts || fail "rootfs is still mounted"
[ -d "$bundle/rootfs" ] || fail "rootfs was removed"
[ ! -e "$run" ] || fail "delete made the run directory"
launch delete -bundle "$bundle" </dev/null
expect status $status 0
end

begin "namespaces are made, told and held until nobody wants them"
if unshare --ipc --uts true 2>/dev/null; then
    coproc HOLDER { exec "$launcher" namespaces --ipc --uts=pod-a --pid --sysctl=kernel.msgmni=123; }
    holder=$HOLDER_PID
    read -r -t 10 line <&"${HOLDER[0]}" || fail "nothing was said"
    expect line "$line" ready
    for file in ipc uts pid_for_children; do
        [ "$(readlink "/proc/$holder/ns/$file")" != "$(readlink "/proc/self/ns/$file")" ] || fail "$file is the node's"
    done
    expect "host name" "$(nsenter --uts="/proc/$holder/ns/uts" uname -n)" pod-a
    expect sysctl "$(nsenter --ipc="/proc/$holder/ns/ipc" cat /proc/sys/kernel/msgmni)" 123
    init=$(cat "/proc/$holder/task/$holder/children")
    init=${init% }
    expect "first process" "$(cat "/proc/$init/comm")" pause
    expect "its files" "$(ls -A "/proc/$init/root")" ""
    expect "its rights" "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$init/status")" 0000000000000000
    eval "exec ${HOLDER[1]}>&-"
    wait "$holder" || fail "the holder failed"
    [ ! -e "/proc/$init" ] || fail "the first process is left"
else
    printf 'note: may not make namespaces here, so that is not tested\n'
fi
expect "said of a wrong argument" "$("$launcher" namespaces --user </dev/null)" "unknown argument --user: *"
end

begin "another shim's program runs as containerd runs it"
printf '#!/bin/sh\numask; echo "$@"; cat; exit 7\n' >"$work/shim-runc"
chmod +x "$work/shim-runc"
status=0
out=$(umask 077 && printf input | "$launcher" runtime "$work/shim-runc" -id c1 start) || status=$?
expect status $status 7
expect out "$(tr '\n' ' ' <<<"$out")" "0022 -id c1 start input "
status=0
err=$("$launcher" runtime "$work/no-such-shim" 2>&1) || status=$?
expect status $status 127
expect err "$err" "$work/no-such-shim cannot be executed: No such file or directory"
end

begin "delete without a daemon ends what was handed to another shim"
printf '#!/bin/sh\necho "$@" >"%s/asked"\nprintf "\\010\\005\\020\\007\\032\\002\\010\\005"\n' "$work" >"$work/shim-runc"
mkdir -m 700 "$run"
mkdir -p "$run/native/k8s.io/c1/rootfs"
printf 'containerd.task.v2.Task\n%s/none.sock\n%s\n' "$work" "$work/shim-runc" >"$run/native/k8s.io/c1/relay"
launch delete -bundle "$bundle" </dev/null
expect status $status 0
expect err "$err" ""
expect asked "$(cat "$work/asked")" "-namespace k8s.io -id c1 -address /run/c.sock delete"
expect response "$(od -An -tx1 "$work/out" | tr -d ' \n')" 080510071a020805
[ ! -e "$run/native/k8s.io/c1" ] || fail "its bundle is left"
launch delete -bundle "$bundle" </dev/null
killed_response || fail "no killed response"
end

begin "standard input is read to its end, BootstrapParams or not"
printf '\x0a\x02c1\x12\x06k8s.io\x1a\x00' >"$work/bad"
printf '\x0a\x02c1\x12\x06k8s.io\x2a\x08/p.ttrpc\x32\x07/p.grpc' >"$work/params"
launch start <"$work/params"
expect_line request "$run/requests" "Start 1=k8s.io 2=c1 3=$bundle 4=/p.ttrpc 5=/p.grpc"
launch start <"$work/bad"
expect status $status 0
head -c 5000000 /dev/urandom >"$work/big"
cat "$work/big" | launch start || fail "the pipe was closed early"
launch start <&-
expect "status with closed input" $status 0
end

begin "a run directory that others may write is refused"
mkdir -m 777 "$run"
chmod 777 "$run"
launch start </dev/null
expect status $status 1
expect err "$err" "Atoll's run directory $run belongs to user * with mode 777: only user * may own and write it"
export ATOLL_RUN_DIR=relative
launch start </dev/null
expect err "$err" "ATOLL_RUN_DIR must be an absolute path*"
export ATOLL_RUN_DIR=/tmp/$(printf 'x%.0s' $(seq 120))
launch start </dev/null
expect err "$err" "the path of Atoll's socket is too long*"
end

begin "version and information need nothing"
expect version "$("$launcher" -v)" "containerd-shim-wasmtime-v1:*Version:*Revision:*"
expect version "$("$launcher" --version)" "containerd-shim-wasmtime-v1:*"
expect info "$(head -c 100 /dev/urandom | "$launcher" -info | tr -c '[:print:]' ' ')" "*io.containerd.wasmtime.v1*runtime-spec/1/features/Features*rro*"
launch restart </dev/null
expect err "$err" "unknown command restart: *"
[ ! -e "$run" ] || fail "the run directory was made"
end

printf 'launcher: %d scenarios passed\n' "$passed"
