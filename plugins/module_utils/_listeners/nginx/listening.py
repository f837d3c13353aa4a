# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a configuration listens on."""

from typing import Dict, Iterator, List, Tuple

from ..errors import ConfigurationRefusedError
from ..plan import Listener
from . import address, marks
from .sources import Source
from .tree import Listen, Server, Tree


def listeners(tree: Tree) -> List[Listener]:
    """Every line once, in the order of the servers."""
    found: Dict[Tuple[str, int, int], Listener] = {}
    for server in tree.servers:
        for listen in server.listens:
            if listen.datagrams:
                continue
            at, endpoint = listen.at, listen.endpoint
            added = not listen.implicit and marks.is_marked(tree.source(at).text, at.directive)
            for port in range(endpoint.first, endpoint.last + 1):
                speaks_http = server.kind == "http"
                one = Listener(at.path, at.line, endpoint.address, port, listen.options, added, speaks_http)
                found.setdefault((at.path, at.directive.start, port), one)
    return list(found.values())


def added_lines(source: Source) -> Iterator[Listener]:
    """What was added to a file, also where no server has it."""
    for directive in marks.inserted(source.text, source.directives):
        endpoint = address.parse(directive.words[1].value, None)
        if endpoint:
            options = tuple(word.raw for word in directive.words[2:])
            yield Listener(source.path, directive.line, endpoint.address, endpoint.first, options, True)


def sharing(tree: Tree, port: int) -> List[Server]:
    """The servers that listen on a port."""
    return [server for server in tree.servers if any(listen.covers(port) for listen in server.listens)]


def covering(tree: Tree, port: int) -> Dict[Tuple[int, str], Listen]:
    """What listens on a port, by number of the server and address."""
    return {
        (server.number, listen.endpoint.address): listen
        for server in tree.servers
        for listen in server.listens
        if listen.covers(port)
    }


def is_there(tree: Tree, existing: int, port: int) -> bool:
    """Whether others made the configuration listen on a port just as on the one that is there.

    :raises ConfigurationRefusedError: when they made it listen on it otherwise.
    """
    wanted, there = covering(tree, existing), covering(tree, port)
    if there and there.keys() != wanted.keys():
        other = next((there[key] for key in there if key not in wanted), next(iter(there.values())))
        reason = "port %d is listened on already, and not as port %d is: choose another port" % (port, existing)
        raise ConfigurationRefusedError(other.at.path, other.at.line, reason)
    return bool(there)


def why_nothing(tree: Tree, port: int) -> str:
    """A sentence about a port that nothing listens on."""
    others = sorted({one.endpoint.first for server in tree.servers for one in server.listens if not one.datagrams})
    there = ", ".join(map(str, others)) or "none"
    return "no server listens on TCP port %d, unless it was added here: the others are %s" % (port, there)
