# What measuring scripts share. Sourced.

# port: prints a free port.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# median [DECIMALS]: of the numbers on standard input, one a line; with one decimal where nothing is said.
median() {
    sort -g | awk -v decimals="${1:-1}" '{ v[NR] = $1 }
        END { printf "%.*f\n", decimals, (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'
}

# ratio A B: A / B with two decimals; 0 where B is 0.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }
