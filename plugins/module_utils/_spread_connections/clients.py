# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients whose connections can be spread: what each of them needs, in one shape. Nothing is written here."""

import abc
from typing import Dict, List, Tuple, Type

from .._files import Files
from .._listen_ports.servers import SERVERS, Moment
from .._listeners import plan as listeners
from .._listeners.haproxy import invocation as haproxy_invocation
from .._listeners.nginx import invocation as nginx_invocation
from .._listeners.plan import Command
from .._spread.haproxy import edit as haproxy
from .._spread.nginx import edit as nginx
from .._spread.plan import Connection, Plan
from .._spread.request import Request


class Client(abc.ABC):
    """One client as this host has it configured. ``programs``: names of its processes. ``unit``: what runs it.

    Every method raises ``ConfigurationRefusedError`` for a configuration that is not understood.
    """

    name = ""
    programs: Tuple[str, ...] = ()

    def __init__(self, files: Files) -> None:
        self._files = files
        # how it is found, checked and told does not depend on what is edited
        self._server = SERVERS[self.name](files, None)

    @property
    @abc.abstractmethod
    def unit(self) -> str:
        """The unit that runs it."""

    def is_there(self) -> bool:
        """Whether this host has a configuration of it."""
        return self._server.is_there()

    @abc.abstractmethod
    def connections(self) -> List[Connection]:
        """What it connects to."""

    @abc.abstractmethod
    def present(self, backend: str) -> Request:
        """What the connections of a backend are spread over."""

    @abc.abstractmethod
    def add(self, request: Request) -> Plan:
        """Spread over more."""

    @abc.abstractmethod
    def remove(self, request: Request) -> Plan:
        """Spread over less."""

    def check(self, plan: Plan) -> Tuple[str, ...]:
        """The command with which it checks its configuration, once the edits of a plan are made."""
        return self._server.check(listeners.Plan(plan.edits, [], []))

    def tell(self, plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        """The commands with which it takes the edits of a plan over."""
        return self._server.tell(listeners.Plan(plan.edits, [], []), moment)


class Nginx(Client):
    name = "nginx"
    programs = ("nginx", "openresty")

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._started = nginx_invocation.find(files)

    @property
    def unit(self) -> str:
        return self._started.unit

    def connections(self) -> List[Connection]:
        return nginx.find(self._files, self._started.main)

    def present(self, backend: str) -> Request:
        return nginx.state(self._files, backend, self._started.main)

    def add(self, request: Request) -> Plan:
        return nginx.add(self._files, request, self._started.main)

    def remove(self, request: Request) -> Plan:
        return nginx.remove(self._files, request, self._started.main)


class HAProxy(Client):
    name = "haproxy"
    programs = ("haproxy",)

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._started = haproxy_invocation.find(files)

    @property
    def unit(self) -> str:
        return haproxy_invocation.UNIT

    def connections(self) -> List[Connection]:
        return haproxy.find(self._files, self._started)

    def present(self, backend: str) -> Request:
        return haproxy.state(self._files, backend, self._started)

    def add(self, request: Request) -> Plan:
        return haproxy.add(self._files, request, self._started)

    def remove(self, request: Request) -> Plan:
        return haproxy.remove(self._files, request, self._started)


CLIENTS: Dict[str, Type[Client]] = {one.name: one for one in (HAProxy, Nginx)}
