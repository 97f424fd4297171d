#!/usr/bin/env python3
"""Differential fuzzing of the HTTP server against h11, httptools (llhttp) and nginx.

Usage: http.py --server PORT --nginx PORT [--seed N] [--count N]

A case is what one connection sends: generated requests, a part of them malformed, and a last request that is always
the same. Checked is, for each message that we accept:
  lax      h11 or httptools rejects it
  framing  another party reads another message
  missing  another party has no such message
Each is an error, unless a rule of KNOWN explains it; how often each rule was used is printed. Also, a rejection is
answered once, as JSON, and ends the connection.
"""
import argparse
import collections
import multiprocessing
import re
import sys
import time

from http_cases import LAST, numbered_case
from http_readings import Misanswered, read_h11, read_httptools, read_nginx, read_ours

KNOWN = [
    # (name, parties, predicate on data, their messages, their end, index of the message)
    ("httptools stops at Upgrade", ("httptools",), lambda data, theirs, end, index: end == "upgrade"),
    ("h11 rejects the one leading empty line that RFC 9112, 2.2 asks to ignore", ("h11",),
     lambda data, theirs, end, index: "no request line received" in end),
    ("h11 and nginx close after a message of HTTP/1.0 with keep-alive, which we keep", ("h11", "nginx"),
     lambda data, theirs, end, index: end == "closed" and index == len(theirs) and b"HTTP/1.0" in data),
    ("nginx closes after a Connection field that has `close` within a word, which we keep", ("nginx",),
     lambda data, theirs, end, index: end == "closed" and index == len(theirs)
     and re.search(rb"(?i)connection:[^\r\n]*close\w", data)),
    ("nginx rejects, for reasons that do not concern framing (decoding of targets, preconditions, host names)", ("nginx",),
     lambda data, theirs, end, index: index >= len(theirs) and end.startswith("rejected")),
]


def same(one, other):
    """Without what an answer cannot tell: of HEAD the path and the body, of `OPTIONS *` the body."""
    if one[0] == other[0] == b"HEAD":
        return None in (one[1], other[1]) or one == other
    if one[:2] == other[:2] == (b"OPTIONS", b"*"):
        return None in (one[2], other[2]) or one[2] == other[2]
    return one == other


class Tally:
    def __init__(self):
        self.counts = collections.Counter()
        self.rejected_by = collections.Counter()
        self.findings = collections.defaultdict(list)

    def add(self, other):
        self.counts += other.counts
        self.rejected_by += other.rejected_by
        for kind, found in other.findings.items():
            self.findings[kind] += found


def compare(tally, options, index):
    data = numbered_case(options.seed, index)
    theirs = {"h11": read_h11(data), "httptools": read_httptools(data)}
    longest = max((messages for messages, _ in theirs.values()), key=len)
    heads = {number for number, message in enumerate(longest) if message[0] == b"HEAD"}
    tally.counts["cases"] += 1
    try:
        ours, our_end = read_ours(options.server, data, heads)
    except Misanswered as error:
        tally.findings[str(error)].append((index, data, None, None))
        return
    theirs["nginx"] = read_nginx(options.nginx, data, heads)
    tally.counts["messages accepted"] += len(ours)
    tally.counts["cases rejected"] += our_end.startswith("rejected")
    tally.counts["cases accepted whole"] += bool(ours) and ours[-1][1] == b"/last"
    for party, (messages, end) in theirs.items():
        tally.rejected_by[party] += end.startswith("rejected")
        for number, message in enumerate(ours):
            if number < len(messages) and same(message, messages[number]):
                continue
            known = next((name for name, parties, explains in KNOWN
                          if party in parties and explains(data, messages, end, number)), None)
            if known:
                tally.counts[f"known: {known}"] += 1
            elif number < len(messages):
                tally.findings[f"framing, {party}"].append((index, data, message, messages[number]))
            elif end.startswith("rejected"):
                tally.findings[f"lax, {party}: {end[10:70]}"].append((index, data, message, end))
            else:
                tally.findings[f"missing, {party}: {end}"].append((index, data, message, end))
            break


def run(options, indexes):
    tally = Tally()
    for index in indexes:
        compare(tally, options, index)
    return tally


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", type=int, required=True)
    parser.add_argument("--nginx", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    start, total, processes = time.monotonic(), Tally(), multiprocessing.cpu_count()
    with multiprocessing.Pool(processes) as pool:
        shares = [(options, range(first, options.count, processes)) for first in range(processes)]
        for tally in pool.starmap(run, shares):
            total.add(tally)
    for name, count in sorted(total.counts.items()):
        print(f"{count:9,} {name}")
    for party, count in sorted(total.rejected_by.items()):
        print(f"{count:9,} cases rejected by {party}")
    for kind, found in sorted(total.findings.items(), key=lambda item: -len(item[1])):
        print(f"{len(found):9,} UNEXPLAINED: {kind}")
        for index, data, mine, other in found[:10]:
            print(f"          case {index}: {data[:-len(LAST)]!r}\n            ours: {mine}; theirs: {other}")
    unexplained = sum(len(found) for found in total.findings.values())
    print(f"fuzz-http: {options.count:,} cases (seed {options.seed}) in {time.monotonic() - start:.0f} s, "
          f"{unexplained} unexplained differences")
    sys.exit(unexplained > 0)


if __name__ == "__main__":
    main()
