# Starting the server from a script, and getting a token from it. Sourced.

# start_server PROGRAM ARGUMENT...: starts it in the background and waits until it serves; sets `server_pid` and
# `server_url`. Its further standard output goes to ours.
start_server() {
    local pipe line
    pipe=$(mktemp -u "${TMPDIR:-/tmp}/artifortress.XXXXXX")
    mkfifo -m 600 "$pipe"
    "$1" serve "${@:2}" >"$pipe" &
    server_pid=$!
    exec 3<"$pipe"
    rm -f "$pipe"
    server_url=
    while [ -z "$server_url" ] && IFS= read -r line <&3; do
        case $line in
        *' listens on '*) server_url=${line##* listens on } ;;
        *) echo "$line" ;;
        esac
    done
    if [ -z "$server_url" ]; then
        wait "$server_pid" || return $?
        return 1
    fi
    cat <&3 &
    exec 3<&-
    local scheme=http
    case " $* " in *' --tls.certificate-file'*) scheme=https ;; esac
    case $server_url in http*) ;; *) server_url=$scheme://$server_url ;; esac
    local attempt
    for attempt in {1..100}; do
        [ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' "$server_url/health/ready")" != 200 ] || return 0
        kill -0 "$server_pid" 2>/dev/null || return 1
        sleep 0.1
    done
    echo "$server_url/health/ready does not become 200" >&2
    return 1
}

# stop_server: ends it gently and waits for it.
stop_server() {
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
}

# administrator_token BOOTSTRAP_TOKEN: prints a token with every right, good for a day.
administrator_token() {
    local answer
    answer=$(curl -sS -m 20 --fail-with-body -H "X-Bootstrap-Token: $1" -H 'Content-Type: application/json' \
        -d '{"subject": "administrator", "ttlMinutes": 1440, "scopes": ["repo:*:admin"]}' \
        "$server_url/v1/auth/pats") || { echo "no token: $answer" >&2; return 1; }
    sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' <<<"$answer"
}
