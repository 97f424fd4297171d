# What the checks of all reverse proxies share: each terminates TLS, serves us under /artifacts, and keeps connections to
# us open. Sourced.

# through_proxy NAME PORT: all checks, through https://127.0.0.1:PORT/artifacts.
through_proxy() {
    local name=$1 proxy=https://127.0.0.1:$2
    export CURL_CA_BUNDLE=$authority
    check "$name" 'pushed and fetched through TLS and a sub-path' proxy_round_trip "$proxy/artifacts"
    check "$name" 'pushed a chunked body' proxy_chunked "$proxy/artifacts"
    check "$name" 'Location and uploadUrl keep the scheme and the prefix' proxy_links "$proxy/artifacts"
    check "$name" 'got an early 401 and used the connection again' proxy_rejected "$proxy/artifacts"
    check "$name" '200 requests through at most 8 connections to the server' proxy_reuse "$proxy/artifacts"
    unset CURL_CA_BUNDLE
}

proxy_round_trip() {
    ask -o answer -T "$folder/artifacts/large" "$1/generic/files/proxied"
    ask -o fetched "$1/generic/files/proxied"
    cmp "$folder/artifacts/large" fetched
    same 206 "$(ask -r 5-104 -o part -w '%{http_code}' "$1/generic/files/proxied")"
    cmp part <(tail -c +6 "$folder/artifacts/large" | head -c 100)
}

proxy_chunked() {
    ask -o answer -T - "$1/generic/files/proxied-chunked" <"$folder/artifacts/large"
    ask -o fetched "$1/generic/files/proxied-chunked"
    cmp "$folder/artifacts/large" fetched
}

proxy_links() {
    local location
    location=$(ask -D - -o /dev/null -H 'Content-Type: application/json' -d '{"packageType": "generic", "packageName": "x'$RANDOM$RANDOM'", "version": "1"}' \
        "$1/v1/repos/files/packages/versions/drafts" | tr -d '\r' | sed -n 's/^location: //Ip')
    echo "Location: $location"
    case $location in "$1"/v1/* | "${1#https://*/}"/v1/* | /artifacts/v1/*) ;; *) return 1 ;; esac
    local digest length session
    digest=$(sha256sum <"$folder/artifacts/awkward" | cut -d' ' -f1) length=$(stat -c %s "$folder/artifacts/awkward")
    session=$(ask -H 'Content-Type: application/json' -d "{\"expectedDigest\": \"$(sha256sum <<<$RANDOM$RANDOM | cut -d' ' -f1)\", \"expectedLength\": $length}" \
        "$1/v1/repos/files/uploads" | sed 's/.*"uploadId":"\([^"]*\)".*/\1/')
    local url
    url=$(ask -H 'Content-Type: application/json' -d '{"partNumber": 1}' "$1/v1/repos/files/uploads/$session/parts" |
        sed 's/.*"uploadUrl":"\([^"]*\)".*/\1/')
    echo "uploadUrl: $url"
    # S3 hands out URLs of its own.
    case $shape in production) ;; *) case $url in "$1"/*) ;; *) return 1 ;; esac ;; esac
    curl -sS -m 60 --fail-with-body -o /dev/null -T "$folder/artifacts/awkward" "$url"
}

proxy_rejected() {
    curl -sS -m 60 -w '%{http_code} %{num_connects}\n' -o 1 -T "$folder/artifacts/awkward" "$1/generic/files/rejected" \
        -o 2 "$1/generic/open/tree/awkward" | tee results
    same 401 "$(head -1 results | cut -d' ' -f1)"
    same 200 "$(tail -1 results | cut -d' ' -f1)"
    cmp "$folder/artifacts/awkward" 2
}

proxy_reuse() {
    # Every connection to the server, also those that have ended a short time ago.
    connections() { ss -Htan "dport = :${address##*:}" | awk '{ print $4 }' | sort -u; }
    connections >before
    wrk -t1 -c4 -d1s "$1/generic/open/tree/awkward" >rates
    cat rates
    ! grep -q Non-2xx rates
    awk '/requests in/ { exit $1 < 200 }' rates
    connections >after
    comm -13 before after >new
    cat new
    [ "$(wc -l <new)" -le 8 ]
}

# start_proxy COMMAND...: in the background, until stop_proxy; waits until it listens on $proxy_port.
start_proxy() {
    "$@" >"$folder/proxy.log" 2>&1 &
    proxy_pid=$!
    local attempt
    for attempt in {1..100}; do
        curl -ks -o /dev/null -m 2 "https://127.0.0.1:$proxy_port/" && return 0
        kill -0 "$proxy_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$folder/proxy.log" >&2
    return 1
}
stop_proxy() {
    kill -TERM "$proxy_pid" 2>/dev/null || true
    wait "$proxy_pid" 2>/dev/null || true
}
