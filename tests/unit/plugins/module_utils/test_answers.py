# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ports answer, of real sockets, and which answers are alike."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils import _answers as answers
from ansible_collections.tcpops.timewait.plugins.module_utils._answers import Answer, NoAnswerError, Spoken

_HTTP = Spoken(http=True)
_TCP = Spoken(http=False)
Say = Callable[[socket.socket, int], None]


@contextlib.contextmanager
def server(say: Say) -> Iterator[int]:
    """A port where each connection is given to a function."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            while True:
                connection, _address = listener.accept()
                with connection, contextlib.suppress(OSError):
                    if not ended.is_set():
                        say(connection, port)
                if ended.is_set():
                    return

        ended = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            ended.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(10)


def page(status: str, body: str, *headers: str) -> Say:
    def say(connection: socket.socket, port: int) -> None:
        connection.recv(4096)
        lines = [f"HTTP/1.1 {status}", "Date: now", *(one.replace("PORT", str(port)) for one in headers), "", ""]
        connection.sendall("\r\n".join(lines).encode() + body.replace("PORT", str(port)).encode())

    return say


def ask(say: Say, spoken: Spoken = _HTTP) -> Answer:
    with server(say) as port:
        return answers.ask("127.0.0.1", port, spoken)


def test_the_same_page_on_two_ports_is_alike() -> None:
    say = page("301 Moved", "see PORT", "Location: http://127.0.0.1:PORT/x", "Server: s")
    assert answers.alike(ask(say), [ask(say), ask(say)])


@pytest.mark.parametrize(
    "other",
    [
        page("500 Oops", "hello"),
        page("200 OK", "hello", "Location: /elsewhere"),
        page("200 OK", "hello", "Server: another"),
        page("200 OK", "bye"),
    ],
    ids=["status", "location", "server", "body"],
)
def test_another_page_is_not(other: Say) -> None:
    usual = page("200 OK", "hello")
    assert not answers.alike(ask(other), [ask(usual), ask(usual)])


def test_a_page_that_changes_need_not_be_the_same() -> None:
    olds = [ask(page("200 OK", f"at {number}")) for number in range(2)]
    assert answers.alike(ask(page("200 OK", "at 3")), olds)
    assert not answers.alike(ask(page("404 No", "at 3")), olds)


def test_what_is_no_http_is_compared_as_it_is() -> None:
    def greet(connection: socket.socket, _port: int) -> None:
        connection.sendall(b"220 ready\r\n")

    def hang_up(_connection: socket.socket, _port: int) -> None:
        pass

    def wait(connection: socket.socket, _port: int) -> None:
        connection.recv(1)

    assert ask(greet, _TCP).kind == "greeting"
    assert ask(hang_up, _TCP) == Answer("closed", (), ask(hang_up, _TCP).body)
    assert ask(wait, _TCP).kind == "silence"
    assert answers.alike(ask(greet, _TCP), [ask(greet, _TCP)])
    assert not answers.alike(ask(wait, _TCP), [ask(greet, _TCP)])
    assert ask(page("400 Bad", ""), Spoken(http=True, tls=True)).kind == "no TLS"


def test_nobody_there_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    for spoken in (_HTTP, _TCP):
        with pytest.raises(NoAnswerError):
            answers.ask("127.0.0.1", port, spoken)
        with pytest.raises(NoAnswerError):
            answers.found_out("127.0.0.1", port, spoken)


def test_what_is_spoken_is_found_out_where_the_guess_is_wrong() -> None:
    def proxied(connection: socket.socket, _port: int) -> None:
        data = connection.recv(4096)
        # the line and the request come in one piece or in several
        while data.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ") and not data.endswith(b"\r\n\r\n"):
            data += connection.recv(4096)
        if data.startswith(b"PROXY"):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with server(proxied) as port:
        assert answers.found_out("127.0.0.1", port, _HTTP) == Spoken(http=True, tls=False, proxy=True)
        assert answers.found_out("127.0.0.1", port, _TCP) == _TCP
    with server(page("200 OK", "")) as port:
        assert answers.found_out("127.0.0.1", port, Spoken(http=True, tls=True)) == _HTTP
