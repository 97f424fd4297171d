#!/usr/bin/env python3
"""Counts user-space instructions and allocations of a request, with valgrind's callgrind. No time is measured.

Usage: cost.py HTTP_BENCH ARTIFORTRESS [REPORT]       (release builds; REPORT: a Markdown file)
       COST_KEEP=FOLDER keeps what callgrind wrote, for callgrind_annotate

The servers run with one event loop, without counting. For each request, some hundred are sent first; then 1,000 and
2,000 requests of one keep-alive connection are counted, and the difference is divided by 1,000.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

COUNT = 1000


class Server:
    def __init__(self, command, port, extra=None):
        self.port = port
        self.folder = tempfile.mkdtemp()
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.folder}/out", *command],
            stdout=self.log, stderr=self.log, env={**os.environ, **(extra or {})})
        deadline = time.monotonic() + 120
        while True:
            try:
                self.client = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{command[0]} does not listen: " + open(self.log.name).read()[-2000:])
                time.sleep(0.1)
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def ask(self, request):
        """Sends a request; returns the answer's status and body."""
        self.client.sendall(request)
        while b"\r\n\r\n" not in self.buffer:
            self.receive()
        end = self.buffer.index(b"\r\n\r\n") + 4
        head = self.buffer[:end]
        found = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        length = int(found[1]) if found else 0
        while len(self.buffer) < end + length:
            self.receive()
        body, self.buffer = self.buffer[end:end + length], self.buffer[end + length:]
        return int(head[9:12]), body

    def receive(self):
        part = self.client.recv(65536)
        if not part:
            sys.exit("the server closed the connection")
        self.buffer += part

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def count(self, request, name):
        """Instructions and allocations of one such request."""
        for _ in range(400):
            status, body = self.ask(request)
            if status != 200:
                sys.exit(f"{name}: {status} {body!r}")
        totals = []
        for count in (COUNT, 2 * COUNT):
            self.control("-z")
            self.control("-i", "on")
            for _ in range(count):
                self.ask(request)
            self.control("-i", "off")
            self.control("-d")
            totals.append(self.read_dump())
        (few, few_allocated, _), (many, allocated, newest) = totals
        if keep := os.environ.get("COST_KEEP"):
            shutil.copy(newest, os.path.join(keep, re.sub(r"\W+", "-", name)))
        return (many - few) / COUNT, (allocated - few_allocated) / COUNT

    def read_dump(self):
        """The newest dump, once it is whole."""
        for _ in range(100):
            dumps = [os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.startswith("out.")]
            newest = max(dumps, key=os.path.getmtime, default=None)
            text = open(newest).read() if newest else ""
            found = re.search(r"^totals: (\d+)", text, re.M)
            if found and newest not in self.seen:
                self.seen.add(newest)
                return int(found[1]), allocations(text), newest
            time.sleep(0.1)
        sys.exit("callgrind wrote nothing")

    seen = set()

    def stop(self):
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def allocations(text):
    """Calls of the allocator."""
    names, total, callee = {}, 0, None
    for line in text.splitlines():
        if found := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?$", line):
            if found[3]:
                names[found[2]] = found[3]
            if found[1] == "cfn":
                callee = names.get(found[2], "")
        elif line.startswith("calls="):
            if re.fullmatch(r"(malloc|calloc|realloc|aligned_alloc|posix_memalign)('\d+)?", callee or ""):
                total += int(line[6:].split()[0])
    return total


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(path, fields="", method="GET", body=b""):
    """A request with the head that curl sends."""
    return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n{fields}\r\n"
            .encode() + body)


def post(path, document, fields):
    body = json.dumps(document).encode()
    return get(path, f"{fields}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n", "POST", body)


def main():
    bench, program = sys.argv[1:3]
    rows, missed = [], 0

    def row(server, name, request, instruction_bar=None, allocation_bar=None):
        nonlocal missed
        instructions, allocated = server.count(request, name)
        bars, met = [], True
        if instruction_bar:
            bars.append(f"{instruction_bar:,} instructions")
            met = met and instructions <= instruction_bar
        if allocation_bar is not None:
            bars.append(f"{allocation_bar} allocations")
            # A rare allocation that no single request makes (a timer bucket that grows) is not one a request.
            met = met and allocated < allocation_bar + 0.01
        missed += not met
        verdict = ("met" if met else "MISSED") if bars else ""
        rows.append((name, f"{instructions:,.0f}", f"{allocated:.2f}", ", ".join(bars), verdict))
        print(f"{name:50} {instructions:9,.0f} instructions {allocated:7.2f} allocations   {', '.join(bars):36} {verdict}",
              flush=True)

    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "small"), "wb") as file:
        file.write(os.urandom(4096))
    port = free_port()
    server = Server([bench, str(port), folder, "--threads", "1"], port)
    try:
        row(server, "server: prepared answer, 4 KiB", get("/prepared"), 6000, 0)
        row(server, "server: prepared answer, 20 bytes", get("/prepared-health"), 6000, 0)
        row(server, "server: handler, 4 KiB in memory", get("/memory"), 17000, 8)
        row(server, "server: handler, 20 bytes", get("/health"), 17000, 8)
        row(server, "server: handler, 4 KiB file, opened each time", get("/files/small"))
        row(server, "server: handler that waits once, 4 KiB", get("/hop"))
    finally:
        server.stop()

    port = free_port()
    server = Server(
        [program, "serve", "--data", os.path.join(folder, "data"), "--listen", f"127.0.0.1:{port}", "--http.threads", "1",
         "--log.level", "warning"], port, {"ARTIFORTRESS_AUTH_BOOTSTRAP_TOKEN": "cost"})
    try:
        status, answer = server.ask(post("/v1/auth/pats", {"subject": "cost", "ttlMinutes": 600, "scopes": ["repo:*:admin"]},
                                         "X-Bootstrap-Token: cost\r\n"))
        if status not in (200, 201):
            sys.exit(f"no token: {status} {answer!r}")
        token = f"Authorization: Bearer {json.loads(answer)['token']}\r\n"
        server.ask(post("/v1/repos", {"repoKey": "files", "repoType": "local"}, token))
        body = os.urandom(4096)
        server.ask(get("/generic/files/small", f"{token}Content-Length: {len(body)}\r\n", "PUT", body))
        row(server, "application: GET /health/live", get("/health/live"), 25000)
        row(server, "application: GET of a 4 KiB file, with a token", get("/generic/files/small", token))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

    if len(sys.argv) > 3:
        report = sys.argv[3]
        notes = os.path.join(os.path.dirname(report), "cost-notes.md")
        with open(report, "w") as out:
            out.write("# What a request costs\n\nWritten by `make bench-cost`: user-space instructions and calls of the allocator, counted by "
                      "valgrind's\ncallgrind on one keep-alive connection; the kernel's part is not in them. `server` is the HTTP server alone\n"
                      "(Tests/HTTPBench), `application` the whole program on the embedded shape. The counts vary little from run to run\n"
                      "and from machine to machine.\n\n"
                      "| request | instructions | allocations | bar | verdict |\n|---|---|---|---|---|\n")
            for columns in rows:
                out.write("| " + " | ".join(columns) + " |\n")
            if os.path.exists(notes):
                out.write("\n" + open(notes).read())
    print(f"bench-cost: {len(rows)} requests, {missed} bars missed")


main()
