# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that ports can be added to: what each of them needs, in one shape. Nothing is written here."""

import abc
import shutil
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Type

from .. import _telling
from .._answers import Spoken
from .._files import Files
from .._listeners.apache import edit as apache
from .._listeners.apache import layout
from .._listeners.edited import EditedFiles
from .._listeners.haproxy import edit as haproxy
from .._listeners.haproxy import invocation as haproxy_invocation
from .._listeners.nginx import edit as nginx
from .._listeners.nginx import invocation as nginx_invocation
from .._listeners.plan import Command, Listener, Plan
from .._listeners.request import Request
from .._listeners.systemd_socket import edit as systemd_socket
from .._transaction import TransactionError

Units = Optional[Tuple[str, ...]]
_EVERY_PORT = tuple(range(1, 65536))


class Moment(NamedTuple):
    """When a server is told. ``units``: those that run. ``running``: the server does. ``ports``: added, or going."""

    units: FrozenSet[str]
    running: bool
    ports: Tuple[int, ...]
    adding: bool


class Server(abc.ABC):
    """One server as this host has it configured. ``programs``: names of its processes.

    Every method raises ``ConfigurationRefusedError`` for a configuration that is not understood.
    """

    name = ""
    programs: Tuple[str, ...] = ()

    def __init__(self, files: Files, units: Units) -> None:
        self._files = files
        self._units = units

    @abc.abstractmethod
    def is_there(self) -> bool:
        """Whether this host has a configuration of it."""

    @abc.abstractmethod
    def find(self) -> List[Listener]:
        """What it listens on."""

    @abc.abstractmethod
    def add(self, request: Request) -> Plan:
        """Listen on more ports."""

    @abc.abstractmethod
    def remove(self, request: Request) -> Plan:
        """Take added ones away."""

    @abc.abstractmethod
    def check(self, plan: Plan) -> Tuple[str, ...]:
        """The command with which it checks its configuration, once the edits of a plan are made."""

    @abc.abstractmethod
    def tell(self, plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        """The commands with which it takes the edits of a plan over."""

    def beside(self, existing_port: int) -> List[int]:
        """The ports that were added beside one."""
        plan = self.remove(Request(existing_port, _EVERY_PORT))
        return sorted({one.port for one in plan.listeners})

    def spoken(self, listeners: Iterable[Listener]) -> Spoken:
        """What is spoken at an address and port, as far as the lines tell that listen there."""
        every = list(listeners)
        options = {option for one in every for option in one.options}
        proxy = bool(options & {"proxy_protocol", "accept-proxy"})
        return Spoken(any(one.http for one in every), bool(options & {"ssl", "https"}), proxy)


class Nginx(Server):
    name = "nginx"
    programs = ("nginx", "openresty")

    def __init__(self, files: Files, units: Units) -> None:
        super().__init__(files, units)
        self._started = nginx_invocation.find(files)

    def is_there(self) -> bool:
        return bool(self._files.glob(self._started.main))

    def find(self) -> List[Listener]:
        return nginx.find(self._files, self._started.main)

    def add(self, request: Request) -> Plan:
        return nginx.add(self._files, request, self._started.main)

    def remove(self, request: Request) -> Plan:
        return nginx.remove(self._files, request, self._started.main)

    def beside(self, existing_port: int) -> List[int]:
        return nginx.beside(self._files, existing_port, self._started.main)

    def check(self, _plan: Plan) -> Tuple[str, ...]:
        return self._started.check

    def tell(self, _plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        return _tell(self._started.unit, self._started.reload, moment)


class HAProxy(Server):
    name = "haproxy"
    programs = ("haproxy",)

    def __init__(self, files: Files, units: Units) -> None:
        super().__init__(files, units)
        self._started = haproxy_invocation.find(files)

    def is_there(self) -> bool:
        return any(self._files.glob(path) for path in self._started.paths)

    def find(self) -> List[Listener]:
        return haproxy.find(self._files, self._started)

    def add(self, request: Request) -> Plan:
        return haproxy.add(self._files, request, self._started)

    def remove(self, request: Request) -> Plan:
        return haproxy.remove(self._files, request, self._started)

    def check(self, plan: Plan) -> Tuple[str, ...]:
        return haproxy_invocation.check(EditedFiles(self._files, plan.edits), self._started)

    def tell(self, _plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        if moment.running and haproxy_invocation.UNIT not in moment.units:
            raise TransactionError(
                "HAProxy runs, but not as %s, so that it is not known how to reload it: nothing was changed; run it as"
                " that unit, or stop it for the change" % haproxy_invocation.UNIT
            )
        return _tell(haproxy_invocation.UNIT, (), moment)


class Apache(Server):
    name = "apache"
    programs = ("apache2", "httpd")

    def __init__(self, files: Files, units: Units) -> None:
        super().__init__(files, units)
        self._found = layout.known(files)

    @property
    def _layout(self) -> layout.Layout:
        return self._found or layout.find(self._files)

    def is_there(self) -> bool:
        return self._found is not None

    def find(self) -> List[Listener]:
        return apache.find(self._files, self._layout)

    def add(self, request: Request) -> Plan:
        return apache.add(self._files, request, self._layout)

    def remove(self, request: Request) -> Plan:
        return apache.remove(self._files, request, self._layout)

    def check(self, _plan: Plan) -> Tuple[str, ...]:
        return self._layout.check

    def tell(self, _plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        return _tell(self._layout.unit, self._layout.reload, moment)


#: what clients notice, by whether nft is there
_RESTART = {
    True: "sockets and their service restart: new connections wait a second or more for it, and what lasts longer than"
    " 3 s is cut if the service cuts it when it stops",
    False: "sockets and their service restart, and without nft (package nftables) clients that connect meanwhile are"
    " refused",
}


class SystemdSocket(Server):
    name = "systemd_socket"
    programs = ("systemd",)

    def is_there(self) -> bool:
        return True

    def find(self) -> List[Listener]:
        return systemd_socket.find(self._files)

    def add(self, request: Request) -> Plan:
        plan = systemd_socket.add(self._files, request, self._units)
        return plan._replace(warnings=[*plan.warnings, _RESTART[bool(shutil.which("nft"))]]) if plan.edits else plan

    def remove(self, request: Request) -> Plan:
        return systemd_socket.remove(self._files, request, self._units)

    def check(self, plan: Plan) -> Tuple[str, ...]:
        return systemd_socket.check(systemd_socket.edited(self._after(plan), plan))

    def tell(self, plan: Plan, moment: Moment) -> Tuple[Command, ...]:
        after = self._after(plan)
        return systemd_socket.restart_commands(after, systemd_socket.edited(after, plan), moment.units)

    def _after(self, plan: Plan) -> Files:
        return EditedFiles(self._files, plan.edits)


def _tell(unit: str, command: Sequence[str], moment: Moment) -> Tuple[Command, ...]:
    """:param command: where the unit is not what runs the server."""
    if not moment.running:
        return ()
    if unit in moment.units:
        return (_telling.by_unit(unit, moment.ports, moment.adding),)
    return (_telling.by_command(command, moment.ports, moment.adding),)


SERVERS: Dict[str, Type[Server]] = {one.name: one for one in (Nginx, HAProxy, Apache, SystemdSocket)}
