# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks whether ports are served as the configuration says, and waits for it: a server is told and takes its time."""

import time
from typing import Callable, Dict, Iterable, List, Sequence

from .. import _answers, _sockets
from .._answers import Answer, NoAnswerError, Spoken
from .._kernel.errors import KernelReadError
from .._kernel.running import RunningKernel
from .._listeners.plan import Listener
from .._transaction import TransactionError
from .asked import AUTO, HTTP, Asked

_PAUSE = 0.1
#: of the old port, so that what changes from one answer to the next is known
_REPEATS = 2
_LOOPBACK = {"": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}

#: from the lines that listen at an address to what is spoken there
Expected = Callable[[Iterable[Listener]], Spoken]


def wait_for_listening(kernel: RunningKernel, listeners: Sequence[Listener], seconds: int) -> None:
    """Until every port of these lines is listened on.

    :raises TransactionError: when one is not in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        deaf = deaf_ports(kernel, listeners)
        if not deaf:
            return
        if time.monotonic() > deadline:
            raise TransactionError("port %d was not listened on within %d s" % (deaf[0], seconds))
        time.sleep(_PAUSE)


def wait_for_answers(spoken: Dict[str, Spoken], new: Sequence[Listener], asked: Asked) -> None:
    """Until every new port answers at each address as the old one does there.

    :param spoken: at the old port, before the server was told: one that ended since must not go unnoticed.
    :raises TransactionError: when one does not in time, with what it does.
    """
    deadline = time.monotonic() + asked.wait
    old_port = asked.existing_port
    left = sorted({(one.address, one.port) for one in new if one.address in spoken})
    while left:
        address, port = left[0]
        reason = _difference(_place(address), old_port, port, spoken[address])
        if not reason:
            left.pop(0)
        elif time.monotonic() > deadline:
            raise TransactionError("%s within %d s" % (reason, asked.wait))
        else:
            time.sleep(_PAUSE)


def find_spoken(
    origins: Sequence[Listener], new: Sequence[Listener], expected: Expected, asked: Asked
) -> Dict[str, Spoken]:
    """By address of the new lines. Those at which the old port does not accept from here are left out, since it tells
    nothing about the new one there.

    :param origins: lines of the old port. :param expected: what the configuration says is spoken.
    """
    found: Dict[str, Spoken] = {}
    for address in sorted({one.address for one in new}):
        guess = expected(one for one in origins if one.address == address)
        if asked.probe != AUTO:
            guess = guess._replace(http=asked.probe == HTTP)
        try:
            found[address] = _answers.found_out(_place(address), asked.existing_port, guess)
        except NoAnswerError:
            continue
    return found


def _place(address: str) -> str:
    return _LOOPBACK.get(address, address)


def wait_for_silence(kernel: RunningKernel, ports: Sequence[int], seconds: int) -> None:
    """Until nothing listens on any of the ports.

    :raises TransactionError: when something does for too long.
    """
    deadline = time.monotonic() + seconds
    while True:
        heard = sorted(set(ports) - set(_deaf(kernel, ports)))
        if not heard:
            return
        if time.monotonic() > deadline:
            raise TransactionError("port %d was still listened on after %d s" % (heard[0], seconds))
        time.sleep(_PAUSE)


def deaf_ports(kernel: RunningKernel, listeners: Iterable[Listener]) -> List[int]:
    """The ports of these lines that nothing listens on."""
    return _deaf(kernel, sorted({one.port for one in listeners}))


def _deaf(kernel: RunningKernel, ports: Sequence[int]) -> List[int]:
    try:
        heard = {port for _address, port in _sockets.read_listeners(kernel).listeners}
    except KernelReadError as error:
        raise TransactionError("what listens on this host cannot be told: %s" % error) from None
    return [port for port in ports if port not in heard]


def _difference(address: str, old: int, new: int, spoken: Spoken) -> str:
    """How the new port does not answer as the old one does; nothing when it does."""
    known: List[Answer] = []
    try:
        found = _answers.ask(address, new, spoken)
    except NoAnswerError as error:
        return "%s port %d did not answer (%s)" % (address, new, error)
    for _time in range(_REPEATS):
        try:
            known.append(_answers.ask(address, old, spoken))
        except NoAnswerError as error:
            return "%s port %d, the old one, did not answer any more (%s)" % (address, old, error)
    if _answers.alike(found, known):
        return ""
    return "%s port %d did not answer as port %d does (%s instead of %s)" % (
        address, new, old, _answers.described(found), _answers.described(known[0]),
    )  # fmt: skip
