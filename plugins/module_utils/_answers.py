# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a port answers, so that a new one can be compared with the old one.

HTTP is asked for one page, and what differs from one answer to the next is left out. A port of which nothing is known
is only connected to: what it says by itself, if anything, is compared, and nothing is sent that it might not like.
"""

import contextlib
import hashlib
import re
import socket
import ssl
from typing import Iterable, List, NamedTuple, Tuple

_SECONDS = 5
_BIND_ADDRESS_NO_PORT = 24  # ip(7); Python has no name for it before 3.12
#: how long a server that speaks first may take
_GREETING_SECONDS = 0.5
_MOST_BYTES = 1 << 16
_REQUEST = "GET / HTTP/1.0\r\nHost: %s\r\nUser-Agent: tcpops.timewait\r\nConnection: close\r\n\r\n"
_STATUS = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3})\b")
_HEADER = re.compile(rb"(?im)^(location|content-type|server):[ \t]*([^\r\n]*)")
#: what a server says to whom it takes for somebody who should have spoken otherwise
_BAD_REQUEST = "400"


class NoAnswerError(Exception):
    """There was no connection, or it broke. The text says which."""


class Spoken(NamedTuple):
    """What is spoken on a port. ``proxy``: every connection begins with a PROXY line (haproxy.org, proxy-protocol)."""

    http: bool
    tls: bool = False
    proxy: bool = False


class Answer(NamedTuple):
    """``kind``: http, greeting, silence, closed or no TLS. ``head``: what has to be the same. ``body``: what may be."""

    kind: str
    head: Tuple[str, ...] = ()
    body: str = ""


def ask(address: str, port: int, spoken: Spoken, source: str = "", host: str = "") -> Answer:
    """One connection.

    :param source: the address that it comes from, empty for the kernel's choice. :param host: asked for in HTTP, where
        it is not the address.
    :raises NoAnswerError: when the port does not accept, or the connection broke.
    """
    try:
        with contextlib.ExitStack() as stack:
            plain = stack.enter_context(_connected(address, port, source))
            if spoken.proxy:
                plain.sendall(_proxy_line(plain))
            if not spoken.tls:
                return _talk(plain, host or address, port, spoken.http, ())
            try:
                secure = stack.enter_context(_context().wrap_socket(plain))
            except ssl.SSLError as error:
                return Answer("no TLS", (str(error.reason),))
            certificate = hashlib.sha256(secure.getpeercert(True) or b"").hexdigest()
            return _talk(secure, host or address, port, spoken.http, (certificate,))
    except (OSError, ValueError) as error:
        raise NoAnswerError(str(error)) from None


def found_out(address: str, port: int, expected: Spoken) -> Spoken:
    """What is spoken on a port that answers: what is expected, unless only something else gets a proper answer.

    :raises NoAnswerError: when it does not accept.
    """
    if not expected.http:
        ask(address, port, expected)
        return expected
    others = [Spoken(True, tls, proxy) for proxy in (False, True) for tls in (False, True)]
    tried: List[Tuple[str, Spoken]] = []
    for spoken in [expected, *(one for one in others if one != expected)]:
        try:
            answer = ask(address, port, spoken)
        except NoAnswerError:
            if not tried and spoken == expected and not _accepts(address, port):
                raise
            continue
        if answer.kind == "http" and answer.head[-1] != _BAD_REQUEST:
            return spoken
        tried.append((answer.kind, spoken))
    return next((spoken for kind, spoken in tried if kind == "http"), Spoken(False))


def alike(new: Answer, olds: Iterable[Answer]) -> bool:
    """Whether an answer is one that the old port gives. Bodies count where the old port repeats its own."""
    known = list(olds)
    repeats = len(known) > 1 and len({one.body for one in known}) == 1
    return any(one.kind == new.kind and one.head == new.head and (not repeats or one.body == new.body) for one in known)


def described(answer: Answer) -> str:
    """For a sentence."""
    return "status %s" % answer.head[-1] if answer.kind == "http" else answer.kind


def _connected(address: str, port: int, source: str) -> socket.socket:
    """A connection. Also from a given source the port is left to connect(), so that no other pool loses one."""
    if not source:
        return socket.create_connection((address, port), _SECONDS)
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    places = socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.settimeout(_SECONDS)
        with contextlib.suppress(OSError):  # before Linux 4.2
            one.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        one.bind((source, 0))
        one.connect(places[0][4])
    except OSError:
        one.close()
        raise
    return one


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), _SECONDS).close()
    except OSError:
        return False
    return True


def _context() -> ssl.SSLContext:
    """Whose certificate it is is compared, not judged, and so is an old protocol."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLError):
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _proxy_line(connection: socket.socket) -> bytes:
    here, there = connection.getsockname(), connection.getpeername()
    family = "TCP6" if connection.family == socket.AF_INET6 else "TCP4"
    return ("PROXY %s %s %s %d %d\r\n" % (family, here[0], there[0], here[1], there[1])).encode("ascii")


def _talk(connection: socket.socket, address: str, port: int, http: bool, head: Tuple[str, ...]) -> Answer:
    if not http:
        return _greeting(connection, head)
    host = "[%s]" % address if ":" in address else address
    connection.sendall((_REQUEST % host).encode("ascii"))
    data = _received(connection)
    status = _STATUS.match(data)
    if not status:
        return Answer("greeting" if data else "closed", head, _digest(data[:_MOST_BYTES]))
    top, _gap, body = data.partition(b"\r\n\r\n")
    headers = [b"%s: %s" % (name.lower(), _without_port(value, port)) for name, value in _HEADER.findall(top)]
    words = [one.decode("latin-1") for one in sorted(headers)]
    # the status comes last
    return Answer("http", (*head, *words, status.group(1).decode()), _digest(_without_port(body, port)))


def _received(connection: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ssl.SSLError, ConnectionResetError):  # some answer by ending, and not all end politely
        while len(data) < _MOST_BYTES:
            piece = connection.recv(_MOST_BYTES)
            if not piece:
                break
            data += piece
    return data


def _greeting(connection: socket.socket, head: Tuple[str, ...]) -> Answer:
    connection.settimeout(_GREETING_SECONDS)
    try:
        data = connection.recv(_MOST_BYTES)
    except socket.timeout:  # TimeoutError since Python 3.10 only
        return Answer("silence", head)
    return Answer("greeting" if data else "closed", head, _digest(data))


def _without_port(text: bytes, port: int) -> bytes:
    """Servers name their port in redirects and on pages about errors."""
    return re.sub(rb"(?<![0-9])%d(?![0-9])" % port, b"PORT", text)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
