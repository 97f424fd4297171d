"""Generates the byte sequences of differential fuzzing: what one connection sends."""
import random

# Always the last request; whether a party reads it tells how it framed what came before.
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def pick(r, *choices):
    return r.choice(choices)


def request_line(r):
    method = pick(r, b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"POST")
    target = pick(r, b"/", b"/a", b"/a/b?c=d", b"/%2F/x", b"/a%00b", b"http://a/p", b"http://b/p", b"*", b"/a;b=c",
                  b"//x", b"/\\a", b"/a|b", b"/{a}", b"/\"a\"", b"/<a>", b"/^`", b"/#f", b"/a?b#c", b"https://a:443/",
                  b"/a/../b", b"/~!@$&'()*+,;=:", b"a", b"", b"http://a", b"/" + b"a" * r.randrange(40))
    if r.random() < 0.85:
        target = b"/" + bytes(r.choice(b"abc/?=&.41") for _ in range(r.randrange(8)))
    version = pick(r, b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0",
                   b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1", b"HTTP/1.1 ", b"HTTP/11", b"HTTP/1.01")
    if r.random() < 0.93:
        version = b"HTTP/1.1"
    return method, method + b" " + target + b" " + version


def chunked_body(r):
    out = []
    for _ in range(r.randrange(4)):
        data = bytes(r.choice(b"ab\r\n0;") for _ in range(r.randrange(1, 20)))
        size = pick(r, b"%x", b"%X", b"0%x", b"%x", b"%x") % len(data)
        if r.random() < 0.08:
            size = pick(r, b"+" + size, b"-" + size, b" " + size, size + b" ", b"0x" + size, size + b"\t", size + b"h",
                        b"0" * 20 + size, b"fffffffffffffffff", b"", size + b";", b"8000000000000000",
                        b"7fffffffffffffff", b"7ffffffffffffff0", b"ffffffff")
        extension = b""
        if r.random() < 0.15:
            extension = pick(r, b";a", b";a=b", b";a=\"b c\"", b"; a=b", b";a =b", b" ;a", b";a=", b";=b", b";a;b", b";a\"b",
                             b";a=\"b", b";\xff", b";a\x00", b";a=\"\\\"\"", b";a=b\n", b";a=\"b\"c", b";;a", b";a=\"\\")
        end = b"\r\n" if r.random() < 0.97 else pick(r, b"\n", b"\r", b"", b"\r\n\r\n", b"\n\r")
        tail = b"\r\n" if r.random() < 0.97 else pick(r, b"\n", b"\r", b"", b"x\r\n", b" \r\n")
        out.append(size + extension + end + data + tail)
    last = b"0" if r.random() < 0.95 else pick(r, b"00", b"0;a", b"0 ", b"", b"000000", b"-0", b"0x0")
    trailer = b""
    if r.random() < 0.15:
        trailer = pick(r, b"A: b\r\n", b"A : b\r\n", b"A: b\n", b"A\r\n", b": b\r\n", b" a: b\r\n", b"Content-Length: 5\r\n",
                       b"Transfer-Encoding: chunked\r\n", b"A: \x00\r\n", b"A: b\r\n c\r\n", b"a:b\r\nc:d\r\n", b"\x00: a\r\n")
    end = b"\r\n" if r.random() < 0.97 else pick(r, b"\n", b"\r", b"")
    return b"".join(out) + last + pick(r, b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n") + trailer + end


def message(r):
    method, line = request_line(r)
    fields = []
    if r.random() < 0.98:
        fields.append(b"Host: " + (b"a" if r.random() < 0.8 else pick(
            r, b"a:80", b"b", b"b.c", b"127.0.0.1", b"A", b"", b"a, b", b"[::1]", b"a b", b"a/b", b"u@a")))
    if r.random() < 0.02:
        fields.append(b"Host: a")
    for _ in range(r.randrange(4)):
        name = pick(r, b"A", b"X-Y", b"accept", b"User-Agent", b"Cookie", b"A_b", b"A.b", b"Range", b"If-None-Match", b"a!b",
                    b"Content-Type", b"TE", b"Trailer", b"Connection", b"Keep-Alive", b"X-Content-Length")
        value = pick(r, b"b", b"", b"b c", b"b\tc", b" b ", b"\"q\"", b"\xe9", b"chunked", b"5", b"100-continue", b"keep-alive",
                     b"x" * r.randrange(60), b"a,b", b"h2c", b"identity")
        fields.append(name + b":" + pick(r, b" ", b" ", b" ", b"", b"  ", b"\t") + value)
    if r.random() < 0.04:
        fields.append(pick(r, b"Expect: 100-continue", b"Expect: x", b"Upgrade: h2c", b"Connection: close", b"Connection: x, close"))
    body = b""
    kind = r.random()
    if kind < 0.35:
        body = bytes(r.choice(b"abc\r\n") for _ in range(r.randrange(30)))
        value = b"%d" % len(body)
        if r.random() < 0.2:
            value = pick(r, b"+" + value, b"-" + value, b" " + value, value + b" ", b"0" + value, value + b"," + value, value + b", " + value,
                         value + b"x", b"0x" + value, value + b".0", b"", b"1" * 25, value + b"\x00", b"\x0b" + value, value + b"\t",
                         b"9223372036854775808", b"9223372036854775807", b"4294967296", value + b" 1", b"\xef\xbc\x93", value + b";", b"1e1", b"0" * 30 + value)
        fields.append(pick(r, b"Content-Length", b"content-length", b"CONTENT-LENGTH", b"Content-Length") + b": " + value)
        if r.random() < 0.05:
            fields.append(b"Content-Length: " + pick(r, value, b"0", b"7"))
        if r.random() < 0.05:
            fields.append(b"Transfer-Encoding: chunked")
    elif kind < 0.7:
        body = chunked_body(r)
        value = b"chunked"
        if r.random() < 0.15:
            value = pick(r, b"Chunked", b"CHUNKED", b" chunked ", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked",
                         b"chunked;q=1", b"identity", b"", b"chunked,", b",chunked", b"\"chunked\"", b"\x0bchunked", b"chun ked",
                         b"chunked\x00", b"identity, chunked", b"chunked\t", b"gzip")
        fields.append(pick(r, b"Transfer-Encoding", b"transfer-encoding", b"Transfer-encoding") + b": " + value)
        if r.random() < 0.05:
            fields.append(b"Transfer-Encoding: " + pick(r, b"chunked", b"identity", b"gzip"))
        if r.random() < 0.05:
            fields.append(b"Content-Length: " + pick(r, b"0", b"3", b"10"))
    r.shuffle(fields)
    lines = [line] + fields
    if r.random() < 0.12:  # malform a line or a line end
        index = r.randrange(len(lines))
        text = lines[index]
        lines[index] = pick(r, b" " + text, b"\t" + text, text.replace(b":", b" :", 1), text + b"\r", b"\x00" + text, text + b"\x00",
                            text.replace(b":", b"\t:", 1), text.replace(b":", b"", 1), b":" + text, text.replace(b": ", b":\r\n ", 1),
                            text + b"\r\n b", text + b"\x7f", text.replace(b" ", b"\t", 1), text.replace(b" ", b"  ", 1), text + b" ",
                            text.replace(b"-", b"_"), text.replace(b":", b"\r:", 1), text.replace(b":", b"\n:", 1), b"", b"\x0b" + text)
    ends = [b"\r\n" if r.random() < 0.985 else pick(r, b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b" \r\n", b"\x00\r\n", b"") for _ in lines]
    head = b"".join(line + end for line, end in zip(lines, ends))
    head += b"\r\n" if r.random() < 0.985 else pick(r, b"\n", b"\r", b"\r\n\r\n", b" \r\n")
    if r.random() < 0.03:
        head = pick(r, b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\x00", b"\r") + head
    return head + body


def case(r):
    data = b"".join(message(r) for _ in range(r.choice((1, 1, 1, 2, 3))))
    if r.random() < 0.15:  # mutate bytes
        for _ in range(r.randrange(1, 3)):
            index = r.randrange(len(data))
            what = r.randrange(4)
            noise = bytes([r.choice(b"\r\n\0\t :;,0123\x0b\x0c\x7f\x80\xff\"\\abAZ-_+")])
            if what == 0:
                data = data[:index] + noise + data[index:]
            elif what == 1:
                data = data[:index] + data[index + 1:]
            elif what == 2:
                data = data[:index] + noise + data[index + 1:]
            else:
                other = r.randrange(len(data))
                data = data[:index] + data[other:other + r.randrange(20)] + data[index:]
            if not data:
                data = b"\r\n"
    return data + LAST


def numbered_case(seed, index):
    """The case of that number, the same in every run."""
    return case(random.Random(seed * 1_000_003 + index))
