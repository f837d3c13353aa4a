# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses an interface gets or loses, and what speaks against it. Pure: it takes what was seen."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .errors import AddressError
from .free_range import Ask, FreeRange
from .objections import check_first, check_length, check_removable
from .request import Address, Named, Request
from .view import Held, Link, View


class Choice(NamedTuple):
    """``add``: what the interface does not have. ``keep``: what it has already. ``taken``: MACs by address, of
    candidates of the range that were passed over because somebody on the link has them."""

    add: Tuple[Address, ...]
    keep: Tuple[Held, ...]
    taken: Dict[str, str]

    def chosen(self, named: Sequence[Named]) -> List[str]:
        """All of them without their prefix lengths: those that were named, as they were, then those of the range."""
        first = [str(one.ip) for one in named]
        rest = [str(one.ip) for one in (*(held.address for held in self.keep), *self.add)]
        return first + [one for one in rest if one not in first]


def to_add(asked: Request, view: View, link: Link, first: Sequence[Address], ask: Ask) -> Choice:
    """Addresses for ``state: present``.

    :param first: addresses that are given at boot already, taken out of the range before others.
    :raises AddressError: when one must not be added, or there are not enough.
    """
    add: List[Address] = []
    keep: List[Held] = []
    for named in asked.named:
        held = _held(named, view, link)
        if held:
            keep.append(held)
            continue
        check_length(named.address, view, link, asked.files_too)
        add.append(named.address)
    _refuse_taken(ask([str(one.ip) for one in add]), link)
    taken: Dict[str, str] = {}
    if asked.free_range:
        free = FreeRange(asked.free_range, view, link, {one.ip for one in asked.named})
        keep += free.held()[: asked.wanted]
        wanted = asked.wanted - len(free.held())
        add += free.take(wanted, first, ask)
        taken = free.taken
    check_first(add, view, link)
    return Choice(tuple(add), tuple(keep), taken)


def to_remove(asked: Request, view: View, link: Link) -> List[Held]:
    """Addresses for ``state: absent``, those that the interface has.

    :raises AddressError: when one must not go.
    """
    found = []
    for held in view.on(link):
        named = next((one for one in asked.named if one.ip == held.address.ip), None)
        if named is not None and named.length not in (None, held.address.network.prefixlen):
            raise AddressError(
                "%s has %s, not %s/%d: give the prefix length that it has, or none"
                % (link.name, held.address, named.ip, named.length)
            )
        if named is not None or (held.aside and asked.free_range and held.address.ip in asked.free_range):
            check_removable(held, view, link)
            found.append(held)
    return found


def _refuse_taken(answered: Dict[str, str], link: Link) -> None:
    if answered:
        who = ", ".join("%s (%s)" % one for one in sorted(answered.items()))
        raise AddressError(
            "somebody on the link of %s answers for %s: nothing was added; take other addresses, or "
            "detect_duplicates: false" % (link.name, who)
        )


def _held(named: Named, view: View, link: Link) -> Optional[Held]:
    for held in view.held:
        if held.address.ip != named.ip or view.vrf_of(held.interface) != link.master:
            continue
        if held.interface != link.number:
            raise AddressError("%s is on %s already, not on %s" % (named.ip, view.name_of(held.interface), link.name))
        if named.length not in (None, held.address.network.prefixlen):
            raise AddressError(
                "%s is on %s already, as %s: ask for it as it is, or take it away first"
                % (named.ip, link.name, held.address)
            )
        return held
    return None
