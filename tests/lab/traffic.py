# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known connections in namespaces, made by a process of its own that reports exactly what it made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from .namespaces import Lab, Namespace

_ROOT = Path(__file__).resolve().parents[2]


class Connection(NamedTuple):
    """A quadruplet as its client sees it, and when it was done with."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    done_at: float


class Made(NamedTuple):
    """What a request made; ``errno`` of the connection that failed, else 0."""

    connections: list[Connection]
    errno: int


class Listener(NamedTuple):
    number: int
    port: int


class Traffic:
    """Makes connections. Sockets that are held stay as they are until the lab closes."""

    def __init__(self, lab: Lab, seconds: int = 300) -> None:
        self._process = lab.start(
            [sys.executable, "-m", "tests.lab.maker", str(seconds)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def listen(self, namespace: Namespace, address: str, port: int, dual_stack: bool = False) -> Listener:
        answer = self._ask(
            "listen", namespace=namespace.path, address=address, port=port, only_v6=not dual_stack
        )
        return Listener(answer["listener"], answer["port"])

    def stop_listening(self, listener: Listener) -> None:
        self._ask("stop_listening", listener=listener.number)

    def connect(
        self,
        namespace: Namespace,
        listener: Listener,
        address: str,
        end: str,
        count: int = 1,
        source: str | None = None,
        source_port: int = 0,
    ) -> Made:
        """Connections out of ``namespace`` that end as ``end`` says, see ``maker.Maker.connect``."""
        return self._made(
            "connect",
            namespace=namespace.path,
            listener=listener.number,
            address=address,
            end=end,
            count=count,
            source=source,
            source_port=source_port,
        )

    def syn_sent(self, namespace: Namespace, address: str, port: int) -> Made:
        return self._made("syn_sent", namespace=namespace.path, address=address, port=port)

    def syn_received(
        self, namespace: Namespace, source: str, source_port: int, address: str, port: int
    ) -> Made:
        return self._made(
            "syn_received",
            namespace=namespace.path,
            source=source,
            source_port=source_port,
            address=address,
            port=port,
        )

    def bind(self, namespace: Namespace, address: str, port: int) -> int:
        return int(self._ask("bind", namespace=namespace.path, address=address, port=port)["port"])

    def _made(self, request: str, **arguments: Any) -> Made:
        answer = self._ask(request, **arguments)
        return Made([Connection(*one) for one in answer["made"]], answer["errno"])

    def _ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"do": request, **arguments}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the traffic process ended at: {request} {arguments}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise RuntimeError(f"{request} {arguments}: {answer['failed']}")
        return answer
