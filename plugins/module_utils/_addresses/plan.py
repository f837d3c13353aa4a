# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a host, and what is to be done there. It changes nothing."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._sysctl.files import ChangedFiles, Files
from .._transaction.address_target import AddressTarget
from .._transaction.changes import States
from .._transaction.steps import Step
from . import choose, running, users
from .errors import AddressError
from .host import Host
from .managers import find
from .managers.manager import Manager
from .probe import taken
from .request import PRESENT, Address, Ip, Named, Request
from .steps import add_running, persist, remove_running
from .view import Held, Link, View, destinations


_TOLD = 10


class Plan:
    """``add`` and ``remove``: addresses that come and go. ``sources``: of traffic to others, by destination, before.
    ``in_use``: what uses the addresses that go. ``taken``: candidates that others on the link have.
    ``chosen``: the addresses that were asked for or picked, without prefix lengths; they are there afterwards.
    ``advice``: what to know about the manager of the interface.

    :param states: the host as it will be after an interrupted transaction was undone.
    :param check: nothing will be done, so that what could end until then is no reason to refuse.
    :raises AddressError: when it must not be done.
    """

    def __init__(self, asked: Request, states: States, check: bool) -> None:
        self.asked = asked
        self.check = check
        where = AddressTarget("", "", asked.namespace).key()[1]
        self.view = running.look(asked.namespace).pretending(states.pretended_addresses(where))
        self.link = interface_of(asked, self.view)
        self.host = Host(ChangedFiles(Files(), states.pretended_files()))
        self.manager: Optional[Manager] = find(self.host, asked.interface) if asked.files_too else None
        self.add: Tuple[Address, ...] = ()
        self.remove: List[Address] = []
        self.sources: Dict[str, Optional[str]] = {}
        self.in_use: List[Dict[str, Any]] = []
        self.taken: Dict[str, str] = {}
        self.chosen: List[str] = []
        self.advice: List[str] = []
        self.warnings: List[str] = []
        self.steps = self._present() if asked.state == PRESENT else self._absent()

    @property
    def addresses(self) -> List[str]:
        return [str(one.address) for one in self.view.on(self.link)]

    @property
    def addresses_after(self) -> List[str]:
        gone = [str(one) for one in self.remove]
        return [one for one in self.addresses if one not in gone] + [str(one) for one in self.add]

    def _present(self) -> List[Step]:
        asked = self.asked
        ours = self.manager.ours(self.host) if self.manager else []
        choice = choose.to_add(asked, self.view, self.link, ours, self._ask)
        self.add = choice.add
        self.taken = choice.taken
        self.chosen = choice.chosen(asked.named)
        self._look_at_sources([one.ip for one in self.add])
        knows_scope = self.manager is None or self.manager.knows_scope
        steps = add_running(asked.interface, asked.namespace, self.add, knows_scope)
        if self.manager:
            steps += self._persisted(self.manager, ours + self._unpersisted(self.manager, ours, choice))
        return steps

    def _unpersisted(self, manager: Manager, ours: List[Address], choice: choose.Choice) -> List[Address]:
        """Those that no file gives at boot, ours or somebody else's."""
        found = list(choice.add)
        for held in choice.keep:
            if held.aside:
                found.append(_at_boot(held.address))
            elif not manager.given_by(held.address) and held.address.ip not in [one.ip for one in ours]:
                self.warnings.append(_not_aside(held, self.link))
        there = [one.ip for one in ours]
        return [one for one in found if one.ip not in there and not manager.given_by(one)]

    def _absent(self) -> List[Step]:
        asked = self.asked
        self.remove = [one.address for one in choose.to_remove(asked, self.view, self.link)]
        self._look_at_sources([])
        for place, source in sorted(self.sources.items()):
            if source in [str(one.ip) for one in self.remove]:
                raise AddressError(
                    "%s is the source of the traffic to %s and stays: it is there for more than connections of its own"
                    % (source, place)
                )
        steps: List[Step] = []
        if self.manager:
            for one in self.remove:
                path = self.manager.given_by(one)
                if path:
                    raise AddressError(
                        "%s is in %s, and would be back at the next boot: take it out there" % (one, path)
                    )
            # the file first: whatever reads it from now on does not bring the address back
            steps += self._persisted(self.manager, self._left(self.manager))
        self._refuse_used()
        return steps + remove_running(asked.interface, asked.namespace, self.remove)

    def _left(self, manager: Manager) -> List[Address]:
        """What our files are to give: without those that only they have, too."""
        named = [one.ip for one in self.asked.named]
        free = self.asked.free_range
        left = [one for one in manager.ours(self.host) if one not in self.remove and one.ip not in named]
        running_here = [one.address for one in self.view.on(self.link)]
        return [one for one in left if one in running_here or not (free and one.ip in free)]

    def _persisted(self, manager: Manager, wanted: Sequence[Address]) -> List[Step]:
        steps = persist(manager, self.host, wanted)
        if steps:
            self.advice += manager.advice
        return steps

    def _look_at_sources(self, new: Sequence[Ip]) -> None:
        versions = sorted({one.version for one in (*self.add, *self.remove)})
        places = destinations(self.view, versions, list(new))
        self.sources = running.sources(self.asked.namespace, places, self.link.master)

    def _ask(self, addresses: Sequence[str]) -> Dict[str, str]:
        """MACs of others on the link that have them."""
        if not self.asked.detect or not addresses or not self.link.has_neighbours:
            return {}
        if not (self.link.up and self.link.carrier):
            self.warnings.append("%s has no carrier: whether others have the addresses was not asked" % self.link.name)
            return {}
        return taken(self.asked.namespace, self.link.name, self.link.mac, addresses)

    def _refuse_used(self) -> None:
        self.in_use = users.describe(self.asked.namespace, self.remove)
        told = users.sentence(self.in_use)
        if not told or self.asked.force:
            return
        if self.check and self.asked.wait:
            self.warnings.append("%s; a run would wait up to %d s for their end" % (told, self.asked.wait))
            return
        raise AddressError(
            "%s: nothing was taken away; give them longer than %d s to end (wait), or use force: true, which breaks "
            "them" % (told, self.asked.wait)
        )


def interface_of(asked: Request, view: View) -> Link:
    """:raises AddressError: when there is none."""
    link = view.link(asked.interface)
    if link is None:
        there = sorted(one.name for one in view.links)
        more = ", ..." if len(there) > _TOLD else ""
        raise AddressError("there is no interface %s, only %s%s" % (asked.interface, ", ".join(there[:_TOLD]), more))
    return link


def _at_boot(address: Address) -> Address:
    """One that stands behind another of its network might be the first of them at boot."""
    return Named(address.ip, None).address if address.version == 4 else address


def _not_aside(held: Held, link: Link) -> str:
    return "%s is on %s by other means, not for connections of its own alone, and is written to no file" % (
        held.address, link.name,
    )  # fmt: skip
