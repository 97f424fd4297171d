#!/usr/bin/env python3
"""Exercises the server through one of Python's HTTP libraries, all on one connection.

Usage: TOKEN=T libraries.py http.client|requests|httpx BASE FILE AUTHORITY
"""
import base64
import http.client
import os
import ssl
import sys
import urllib.parse

library, base, path, authority = sys.argv[1:]
token = os.environ["TOKEN"]
content = open(path, "rb").read()
headers = {"Authorization": "Basic " + base64.b64encode(f"python:{token}".encode()).decode()}


class Plain:
    """http.client. One connection object; it connects again silently, so `connects` counts."""

    def __init__(self):
        url = urllib.parse.urlsplit(base)
        self.prefix, self.connects = url.path, 0
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=authority)
            self.connection = http.client.HTTPSConnection(url.netloc, timeout=60, context=context)
        else:
            self.connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connect = self.connection.connect

        def counted():
            self.connects += 1
            connect()

        self.connection.connect = counted

    def send(self, method, name, body=None, fields={}):
        self.connection.request(method, self.prefix + name, body, fields, encode_chunked=not isinstance(body, (bytes, type(None))))
        answer = self.connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def connections(self):
        return self.connects


class Requests:
    def __init__(self):
        import requests

        self.session = requests.Session()
        self.session.verify = authority

    def send(self, method, name, body=None, fields={}):
        answer = self.session.request(method, base + name, data=body, headers=fields, timeout=60)
        return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content

    def connections(self):
        pools = self.session.get_adapter(base).poolmanager.pools
        return sum(pools[key].num_connections for key in pools.keys())


class HTTPX:
    def __init__(self):
        import httpx

        self.addresses = set()
        self.client = httpx.Client(
            verify=ssl.create_default_context(cafile=authority), timeout=60, event_hooks={"response": [self.note]})

    def note(self, answer):
        self.addresses.add(answer.extensions["network_stream"].get_extra_info("client_addr"))

    def send(self, method, name, body=None, fields={}):
        answer = self.client.request(method, base + name, content=body, headers=fields)
        return answer.status_code, dict(answer.headers), answer.content

    def connections(self):
        return len(self.addresses)


def pieces():
    for at in range(0, len(content), 70_001):
        yield content[at:at + 70_001]


def expect(actual, expected, what):
    if actual != expected:
        sys.exit(f"{what}: expected {expected!r}, got {actual!r}")


client = {"http.client": Plain, "requests": Requests, "httpx": HTTPX}[library]()
name = f"/by-{library}"
status, _, _ = client.send("PUT", name, content, headers)
expect(status, 201, "PUT with a length")
status, _, _ = client.send("PUT", name + "-chunked", pieces(), headers)
expect(status, 201, "PUT, chunked")
for suffix in ("", "-chunked"):
    status, fields, body = client.send("GET", name + suffix, None, headers)
    expect((status, body == content), (200, True), "GET" + suffix)
status, fields, body = client.send("HEAD", name, None, headers)
expect((status, fields["content-length"], body), (200, str(len(content)), b""), "HEAD")
status, _, body = client.send("GET", name, None, headers | {"If-None-Match": fields["etag"]})
expect((status, body), (304, b""), "GET of an unchanged file")
status, _, body = client.send("GET", name, None, headers | {"Range": "bytes=-100"})
expect((status, body), (206, content[-100:]), "GET of a range")
status, _, body = client.send("GET", "/none", None, headers)
expect((status, b'"not_found"' in body), (404, True), "GET of nothing")
status, _, body = client.send("PUT", "/rejected", content[:100_000])
expect((status, b'"unauthorized"' in body), (401, True), "PUT without a token")
status, _, _ = client.send("DELETE", name, None, headers)
expect(status, 204, "DELETE")
expect(client.connections(), 1, "connections")
# An answer before a large body has been sent: the client reads it, whether or not the connection is kept.
try:
    status, _, body = client.send("PUT", "/rejected", content)
    expect((status, b'"unauthorized"' in body), (401, True), "PUT of 20 MB without a token")
except BrokenPipeError:
    # http.client does not look for an answer when it cannot send; the answer is there.
    answer = http.client.HTTPResponse(client.connection.sock, method="PUT")
    answer.begin()
    expect((answer.status, b'"unauthorized"' in answer.read()), (401, True), "PUT of 20 MB without a token")
