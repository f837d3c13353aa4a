# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address of an interface, as the kernel holds it: a target that is either there or not."""

import errno
import os
from functools import partial
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from .._address_users import find_users, wait_until_unused
from .._kernel import rtnetlink
from .._kernel.errors import KernelReadError
from .._kernel.inside import call_inside
from .._kernel.rtnetlink import FOREVER, HOST_SCOPE, HeldAddress
from .._kernel.running import RunningKernel
from .errors import TransactionError, why

_INSIDE_SECONDS = 20
_OWN_NAMESPACE = "/proc/self/ns/net"
_BOOT = "/proc/sys/kernel/random/boot_id"


class AddressState(NamedTuple):
    """Whether it is ``there``, and what it is then, as ``HeldAddress`` says.

    ``epoch``: of the running kernel, the namespace and the interface; with each of them, addresses begin anew.
    ``wait``: of one that is to go, the seconds that connections from it may take to end, 0 where they are no concern.
    ``settling``: whether servers were told a moment ago to use it no more, and may go on a little.
    """

    there: bool
    epoch: str
    scope: int = 0
    flags: int = 0
    label: str = ""
    broadcast: str = ""
    peer: str = ""
    preferred: int = FOREVER
    valid: int = FOREVER
    wait: int = 0
    settling: bool = False


class AddressTarget(NamedTuple):
    """``address``: with its prefix length. ``namespace``: file of the network namespace, None for the caller's own.

    Lifetimes, flags and label are no part of the comparison: what manages the interface may set them in its own way.
    """

    interface: str
    address: str
    namespace: Optional[str] = None

    @property
    def identity(self) -> Tuple[str, ...]:
        return ("address", self.namespace or "", self.interface, self.address)

    @property
    def name(self) -> str:
        own = "%s on %s" % (self.address, self.interface)
        return "%s in network namespace %s" % (own, self.namespace) if self.namespace else own

    def key(self) -> Tuple[str, ...]:
        """The same for all paths of one namespace, as they are now."""
        try:
            inode = RunningKernel().inode(self.namespace or _OWN_NAMESPACE)
        except KernelReadError:
            return self.identity  # a namespace that is gone
        return ("address", "net:[%d]" % inode, self.interface, self.address)

    def read(self) -> AddressState:
        """:raises TransactionError: when it cannot be told; a namespace or interface that is gone has no address."""
        if self.namespace is not None and not os.path.exists(self.namespace):
            return AddressState(False, "")
        try:
            return AddressState(**self._inside(partial(_read, self.interface, self.address)))
        except KernelReadError as error:
            raise TransactionError("%s cannot be read: %s" % (self.name, error)) from None

    def put(self, found: AddressState, wanted: AddressState) -> None:
        """Add the address or delete it, and see whether the kernel did.

        :raises TransactionError: when it did not, or when connections from one that is to go do not end.
        """
        if found.there == wanted.there:
            return
        if wanted.wait:
            self._wait_until_unused(wanted)
        fields = dict((wanted if wanted.there else found)._asdict())
        done = "added" if wanted.there else "deleted"
        try:
            problem = self._inside(partial(_change, self.interface, self.address, fields, wanted.there))
        except KernelReadError as error:
            raise TransactionError("%s cannot be %s: %s" % (self.name, done, error)) from None
        if problem:
            raise TransactionError("%s cannot be %s: %s" % (self.name, done, problem))
        if self.read().there != wanted.there:
            raise TransactionError("%s was %s, and the kernel does not show it so" % (self.name, done))

    def objection(self, found: AddressState, wanted: AddressState) -> Optional[str]:
        """Connections that would break: they end by themselves, and the address can go then."""
        if not found.there or wanted.there:
            return None
        try:
            used = self._inside(partial(_used, self.address.partition("/")[0]))
        except KernelReadError as error:
            return "whether connections use %s cannot be told: %s" % (self.name, error)
        return "%s is used by connections (%s)" % (self.name, used) if used else None

    def _wait_until_unused(self, wanted: AddressState) -> None:
        look = partial(_wait_until_unused, self.address.partition("/")[0], wanted.wait, wanted.settling)
        try:
            used = self._inside(look, wanted.wait)
        except KernelReadError as error:
            raise TransactionError("whether connections use %s cannot be told: %s" % (self.name, error)) from None
        if used:
            raise TransactionError(
                "%s is still used by connections (%s) after %d s: wait until they have ended, or use force: true, "
                "which breaks them" % (self.name, used, wanted.wait)
            )

    def tidy(self) -> None:
        """An address is added at once: nothing is left over."""

    def same(self, one: AddressState, other: AddressState) -> bool:
        return one.there == other.there

    def torn(self, _found: AddressState, _one: AddressState, _other: AddressState) -> bool:
        return False

    def restarted(self, found: AddressState, recorded: AddressState) -> bool:
        """Whether the addresses of the interface have begun anew since."""
        return found.epoch != recorded.epoch

    def lines(self, state: AddressState) -> Tuple[str, str]:
        """``(header, text)`` for a diff."""
        return "%s (running address)" % self.name, "%s\n" % described(self.address, state) if state.there else ""

    def _inside(self, function: Callable[[], Any], more_seconds: int = 0) -> Any:
        if self.namespace is None:
            return function()
        return call_inside(self.namespace, function, _INSIDE_SECONDS + more_seconds)


def described(address: str, state: AddressState) -> str:
    """In the manner of ``ip address``."""
    text = address
    if state.peer:
        text += " peer %s" % state.peer
    if state.scope == HOST_SCOPE:
        text += " scope host"
    if state.preferred == 0:
        text += " deprecated"
    if state.label:
        text += " label %s" % state.label
    return text


def _read(interface: str, address: str) -> Dict[str, Any]:
    """The fields of the state, in the namespace that the process is in."""
    kernel = RunningKernel()
    index = kernel.interface_index(interface)
    epoch = "%s net:[%d] %s %s" % (
        kernel.read_text(_BOOT).strip(), kernel.inode(_OWN_NAMESPACE), kernel.namespace_cookie(), index,
    )  # fmt: skip
    for held in kernel.held_addresses() if index is not None else []:
        if held.interface == index and held.address == address:
            fields = dict(held._asdict(), there=True, epoch=epoch)
            del fields["interface"], fields["address"]
            return fields
    return {"there": False, "epoch": epoch}


def _change(interface: str, address: str, fields: Dict[str, Any], add: bool) -> Optional[str]:
    """What the kernel says against it, None when it did it, or somebody else meanwhile."""
    kernel = RunningKernel()
    index = kernel.interface_index(interface)
    if index is None:
        return "there is no interface %s" % interface if add else None
    for name in ("there", "epoch", "wait", "settling"):
        del fields[name]
    held = HeldAddress(index, address, **fields)
    number = kernel.change_addresses((rtnetlink.add_request if add else rtnetlink.delete_request)(held))
    if number in (0, errno.EEXIST if add else errno.EADDRNOTAVAIL):
        return None
    if number == errno.EACCES and ":" in address:
        return "IPv6 is disabled there (sysctl net.ipv6.conf.%s.disable_ipv6)" % interface  # inet6_addr_add
    return why(OSError(number, os.strerror(number)))


def _wait_until_unused(address: str, seconds: int, settling: bool) -> str:
    return wait_until_unused(RunningKernel(), address, seconds, settling)


def _used(address: str) -> str:
    return str(find_users(RunningKernel(), address))
