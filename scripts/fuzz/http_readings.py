"""How each party reads what a connection sends: a list of messages (method, path, body), and how it ends."""
import re
import socket

import h11
import httptools


def path_of(target):
    found = re.match(rb"(?i)https?://[^/?]*(.*)$", target, re.S)
    return found[1] if found else target


def read_h11(data):
    messages, connection = [], h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    current = None
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return messages, "partial" if current or connection.trailing_data[0] else "complete"
            if event is h11.PAUSED:
                if connection.our_state is h11.SEND_RESPONSE or connection.our_state is h11.SEND_BODY:
                    return messages, "paused"
                connection.start_next_cycle()
                continue
            if isinstance(event, h11.Request):
                current = [event.method, event.target, b""]
            elif isinstance(event, h11.Data):
                current[2] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                messages.append((current[0], path_of(current[1]), current[2]))
                current = None
                connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return messages, "closed"
                connection.start_next_cycle()
            else:
                return messages, "closed"
    except h11.RemoteProtocolError as error:
        return messages, f"rejected: {error}"


class Listener:
    """What httptools (llhttp) reports."""

    def __init__(self):
        self.messages, self.url, self.body = [], b"", b""

    def on_message_begin(self):
        self.url, self.body = b"", b""

    def on_url(self, part):
        self.url += part

    def on_body(self, part):
        self.body += part

    def on_message_complete(self):
        self.messages.append((self.parser.get_method(), path_of(self.url), self.body))


def read_httptools(data):
    listener = Listener()
    listener.parser = parser = httptools.HttpRequestParser(listener)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return listener.messages, "upgrade"
    except httptools.HttpParserError as error:
        return listener.messages, f"rejected: {error}"
    return listener.messages, "complete"


def exchange(port, data):
    """Everything that a server answers. A server that does not listen is an error."""
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(10)
    answer = b""
    try:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while part := client.recv(65536):
            answer += part
    except (ConnectionError, BrokenPipeError):
        pass
    finally:
        client.close()
    return answer


def answers(data, heads):
    """Splits answers into (status, head, body). `heads` are the numbers of the requests whose method is HEAD."""
    result, at = [], 0
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            break
        head = data[at:end]
        status = int(head.split(b" ", 2)[1])
        at = end + 4
        if status == 100:
            continue
        body = b""
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if len(result) in heads and status == 200 or status == 204:
            pass
        elif length:
            body = data[at:at + int(length[1])]
            at += int(length[1])
        elif b"chunked" in head:
            while True:
                stop = data.find(b"\r\n", at)
                if stop < 0:
                    break
                size = int(data[at:stop], 16)
                body += data[stop + 2:stop + 2 + size]
                at = stop + 4 + size
                if size == 0:
                    break
        elif b"connection: close" in head.lower():
            body = data[at:]
            at = len(data)
        result.append((status, head, body))
    return result


def read_nginx(port, data, heads):
    messages = []
    for status, _, body in answers(exchange(port, data), heads):
        if status != 200:
            return messages, f"rejected: {status}"
        if not body:  # an answer to HEAD
            messages.append((b"HEAD", None, None))
            continue
        method, path, content = body.split(b" ", 2)
        messages.append((method, path_of(path), content))
    return messages, "closed"


class Misanswered(Exception):
    """Our server broke a rule of its own, whatever others say."""


def read_ours(port, data, heads):
    messages, rejection = [], None
    for status, head, body in answers(exchange(port, data), heads):
        if rejection:
            raise Misanswered(f"an answer {status} after the rejection {rejection}")
        if status == 204:  # the answer to OPTIONS *
            messages.append((b"OPTIONS", b"*", None))
        elif status != 200:
            rejection = status
            if b"\r\nconnection: close" not in head.lower():
                raise Misanswered(f"a rejection {status} without Connection: close")
            if not (body.startswith(b'{"error":"') or len(messages) in heads):
                raise Misanswered(f"a rejection {status} that is not our JSON: {body!r}")
        elif not body:  # an answer to HEAD
            messages.append((b"HEAD", None, None))
        else:
            method, path, content = body.split(b" ", 2)
            messages.append((method, path_of(path), bytes.fromhex(content.decode())))
    return messages, f"rejected: {rejection}" if rejection else "closed"
