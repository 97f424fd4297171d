# What the service scripts beside this file share. Sourced, never run.
#
# SERVICE up|down|status|remove DIR
#   up      installs what is missing, starts what does not run, prints KEY=VALUE lines (kept in DIR/env too)
#   status  prints the same lines and exits with 0 where it answers, with 3 where it does not
#   down    stops what runs from DIR and keeps its files: `up` goes on with them
#   remove  stops it and removes DIR
#
# All that a service writes is in its DIR. It listens on 127.0.0.1 only, on a free port that is kept in DIR; passwords
# are random. These are peers for development and tests, no way to run a service for others.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
service=$(basename "$0")
. "$here/../packages"

say() { echo "$service: $*" >&2; }
die() { say "$*"; exit 1; }

# read_arguments "$@": sets `verb` and `dir` (absolute; made for `up`).
read_arguments() {
    verb=${1:-} dir=${2:-}
    [ -n "$verb" ] && [ -n "$dir" ] || die "usage: $service up|down|status|remove DIR"
    [ "$verb" != up ] || mkdir -p "$dir"
    [ -d "$dir" ] || { say "there is no $dir"; exit 3; }
    dir=$(cd "$dir" && pwd)
}

# One call at a time for a DIR. What is started gets 9>&-, or it would hold the lock.
lock() { exec 9>"$dir/.lock"; flock -w 300 9 || die "another $service works on $dir"; }

# port FILE: the port kept in DIR/FILE, or a free one below the range of outgoing connections, which is then kept.
port() {
    [ -s "$dir/$1" ] || python3 -c '
import random, socket
while True:
    port = random.randint(20000, 32000)
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", port)); print(port); break
        except OSError: pass' >"$dir/$1"
    cat "$dir/$1"
}

# secret FILE: the password kept in DIR/FILE, made at first.
secret() {
    [ -s "$dir/$1" ] || (umask 077; head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$dir/$1")
    cat "$dir/$1"
}

# await SECONDS COMMAND...: until it succeeds.
await() {
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done
}

# alive PIDFILE WORD: whether that process runs and WORD is in its command line: a pid may have been given away again.
alive() {
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] &&
        { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$2"
}
gone() { ! alive "$@"; }

# stop PIDFILE WORD [SIGNAL]: ends that process and waits for it; after 20 s by SIGKILL.
stop() {
    alive "$1" "$2" || { rm -f "$1"; return 0; }
    local pid
    pid=$(head -n 1 "$1")
    kill "-${3:-TERM}" "$pid" 2>/dev/null || true
    await 20 gone "$1" "$2" || kill -KILL "$pid" 2>/dev/null || true
    rm -f "$1"
}

# certificate: DIR/tls/{ca,server}.{crt,key}: a private authority and a certificate for localhost and 127.0.0.1.
certificate() {
    [ -s "$dir/tls/server.crt" ] && return 0
    mkdir -p "$dir/tls"
    (
        cd "$dir/tls"
        umask 077
        curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
        openssl req -x509 "${curve[@]}" -days 30 -subj "/CN=$service development CA" -keyout ca.key -out ca.crt
        openssl req "${curve[@]}" -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >extensions
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
            -out server.crt
    ) 2>"$dir/openssl.log"
    chmod 644 "$dir"/tls/*.crt
}
