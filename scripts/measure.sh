# Functions that measuring scripts share. Sourced.

# port: prints a free port.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# median [DECIMALS]: of the numbers on standard input, one a line; with one decimal by default.
median() {
    sort -g | awk -v decimals="${1:-1}" '{ v[NR] = $1 }
        END { printf "%.*f\n", decimals, (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'
}

# ratio A B: A / B with two decimals; 0 if B is 0.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }

# bar VALUE least|most LIMIT [UNIT]: "(bar LIMIT UNIT)", marked if the value misses it.
bar() {
    awk -v value="$1" -v kind="$2" -v limit="$3" -v unit="${4:+ $4}" 'BEGIN {
        missed = kind == "least" ? value + 0 < limit + 0 : value + 0 > limit + 0
        printf "(bar %s%s%s)", limit, unit, missed ? ", **missed**" : ""
    }'
}
