# Functions that the demonstrations share: a folder and services of their own, requests that are checked, a line for each check.
# Sourced; `demo` is set to the demonstration's name before.

. scripts/server.sh

folder=$(mktemp -d "${TMPDIR:-/tmp}/artifortress-demo.XXXXXX")
server_pid= receiver_pid=
finish() {
    local status=$? service
    trap - EXIT
    [ -z "$server_pid" ] || stop_server
    [ -z "$receiver_pid" ] || kill "$receiver_pid" 2>/dev/null || true
    for service in postgres s3; do
        [ ! -d "$folder/$service" ] || scripts/services/$service remove "$folder/$service" || status=1
    done
    [ $status = 0 ] || { tail -n 5 "$folder"/*.log >&2 || true; echo "$demo: FAILED" >&2; }
    rm -rf "$folder"
    exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

checked() { printf '  ok  %s\n' "$*"; }
fail() { echo "  NO  $*" >&2; exit 1; }

# ask STATUS CURL-ARGUMENT...: the body is in $folder/body, the head in $folder/head.
ask() {
    local status
    status=$(curl -sS -m 120 -o "$folder/body" -D "$folder/head" -w '%{http_code}' \
        -H "Authorization: Bearer $token" "${@:2}") || true
    [ "$status" = "$1" ] || fail "$status, not $1, for ${*:2}: $(head -c 500 "$folder/body")"
}
post() { ask "$1" -H 'Content-Type: application/json' -d "$3" "${@:4}" "$server_url$2"; }  # post STATUS PATH DOCUMENT CURL-ARGUMENT...
put() { ask "$1" -X PUT -H 'Content-Type: application/json' -d "$3" "${@:4}" "$server_url$2"; }
get() { ask "$1" "$server_url$2"; }
member() { grep -o "\"$1\":\"[^\"]*\"" "$folder/body" | head -n 1 | cut -d'"' -f4; }
has() { grep -qF "$1" "$folder/body" || fail "no $1 in $(head -c 800 "$folder/body")"; }
lacks() { ! grep -qF "$1" "$folder/body" || fail "$1 in $(head -c 800 "$folder/body")"; }
header() { sed -n "s/^$1: //Ip" "$folder/head" | tr -d '\r' | tail -n 1; }
count() { grep -oF "$1" "$folder/body" | wc -l; }

# part URL FILE: puts a part of an upload by its signed URL, without a token; sets `tag`.
part() {
    tag=$(curl -sS -m 120 --fail-with-body -o "$folder/body" -D - -T "$2" "$1" |
        tr -d '\r' | sed -n 's/^etag: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/Ip')
    [ -n "$tag" ] || fail "the part was rejected: $(cat "$folder/body")"
}

# commit REPOSITORY FILE: an upload session from creation to commit; sets `sum` and `length`.
commit() {
    local session
    sum=$(sha256sum "$2" | cut -d' ' -f1) length=$(stat -c %s "$2")
    post 201 "/v1/repos/$1/uploads" "{\"expectedDigest\": \"$sum\", \"expectedLength\": $length}"
    session=/v1/repos/$1/uploads/$(member uploadId)
    post 200 "$session/parts" '{"partNumber": 1}'
    part "$(member uploadUrl)" "$2"
    post 200 "$session/complete" "{\"parts\": [{\"partNumber\": 1, \"eTag\": \"$tag\"}]}"
    ask 200 -X POST "$server_url$session/commit"
}

# serve ARGUMENT...: starts `program` on the stores of `shape`, started here where they are services: embedded (SQLite, a
# directory) or production (PostgreSQL, S3). Sets `token` to an administrator's. Its output goes to $folder/$shape.log.
serve() {
    local settings=(--data "$folder/data-$shape" --listen 127.0.0.1:0)
    case $shape in
    embedded) ;;
    production)
        if [ ! -d "$folder/postgres" ]; then
            scripts/install test
            scripts/services/postgres up "$folder/postgres" >/dev/null
            scripts/services/s3 up "$folder/s3" >/dev/null
        fi
        . "$folder/postgres/env"
        . "$folder/s3/env"
        settings+=(--database.url "$DATABASE_URL" --migrate.at-start=true
            --storage.url "s3://$S3_BUCKET/demo?endpoint=$S3_ENDPOINT&region=$S3_REGION&pathStyle=true"
            --storage.s3.access-key "$S3_ACCESS_KEY" --storage.s3.secret-key "$S3_SECRET_KEY") ;;
    *) echo "unknown shape $shape" >&2; exit 2 ;;
    esac
    start_server "$program" "${settings[@]}" "$@" >>"$folder/$shape.log" 2>&1
    token=$(administrator_token "$(cat "$folder/data-$shape/bootstrap-token")")
}
