# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies of HAProxy with what their ``defaults`` give them, and their servers. Pure."""

from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ..._listeners import text
from ..._listeners.haproxy import address, statements
from ..._listeners.haproxy.statements import Section, Statement
from ..._listeners.haproxy.words import Word, WordsError, template
from . import options
from .options import Option

#: sections whose server lines traffic of clients goes to
CONNECTING = ("backend", "listen")
_PROXIES = ("backend", "frontend", "listen")


class Proxy(NamedTuple):
    """A section with its own lines, and those that it has of its ``defaults``. ``end``: line of the file behind it."""

    section: Section
    end: int
    own: List[Statement]
    inherited: List[Statement]

    def setting(self, *keywords: str) -> Optional[Statement]:
        """The last line of its own that begins with these words, or that of its defaults."""
        size = len(keywords)
        for lines in (self.own, self.inherited):
            found = [one for one in lines if _texts(one)[:size] == list(keywords)]
            if found:
                return found[-1]
        return None

    def option(self, name: str) -> Optional[Statement]:
        """The line that turns an option on, None where it is off."""
        for lines in (self.own, self.inherited):
            found = [one for one in lines if [*_texts(one), ""][one.keyword == "no" :][:2] == ["option", name]]
            if found:
                return found[-1] if found[-1].keyword == "option" else None
        return None


class Server(NamedTuple):
    """One server line. ``defaults``: options of the ``default-server`` lines that count for it."""

    statement: Statement
    name: str
    where: address.Destination
    options: List[Option]
    defaults: List[Option]

    @property
    def effective(self) -> List[Option]:
        """All options in the order in which HAProxy takes them."""
        return self.defaults + self.options

    def is_on(self, name: str) -> bool:
        """Whether a flag is set."""
        return options.is_on(self.effective, name)

    def last(self, name: str) -> Optional[Option]:
        """The option that counts."""
        return options.last(self.effective, name)

    def number(self, name: str) -> Optional[int]:
        """The number that an option has, None without it.

        :raises ConfigurationRefusedError: when it cannot be known.
        """
        option = self.last(name)
        if not option:
            return None
        value = option.values[0].value(self.statement.variables)
        if value is None or not value.isdigit():
            raise self.statement.refused("the value of %s cannot be known from here" % name)
        return int(value)


def read(sources: Sequence[Tuple[str, List[text.Line]]], environment: Dict[str, str]) -> List[Proxy]:
    """The proxies of the files, defaults left out.

    :raises ConfigurationRefusedError: for what HAProxy would refuse.
    """
    every: List[Proxy] = []
    defaults: List[Proxy] = []
    sizes = {path: len(lines) for path, lines in sources}
    for statement in statements.read(sources, environment):
        section = statement.section
        if statement.opens:
            if every and every[-1].section.path == section.path:
                every[-1] = every[-1]._replace(end=section.at)
            every.append(Proxy(section, sizes[section.path], [], _defaults_of(section, defaults)))
            if section.kind == "defaults":
                defaults.append(every[-1])
        else:
            every[-1].own.append(statement)
    return [one for one in every if one.section.kind in _PROXIES]


def servers(proxy: Proxy) -> Iterator[Server]:
    """The server lines of a proxy.

    :raises ConfigurationRefusedError: for what is not understood.
    """
    defaults = [option for one in proxy.inherited for option in _default_options(one)]
    for statement in proxy.own:
        defaults = defaults + _default_options(statement)
        if statement.keyword == "server":
            yield _server(statement, defaults)


def _default_options(statement: Statement) -> List[Option]:
    return _options(statement, statement.split.words[1:]) if statement.keyword == "default-server" else []


def _server(statement: Statement, defaults: List[Option]) -> Server:
    found = statement.split.words
    if not statement.sure:
        raise statement.refused("whether the .if block that it is in counts cannot be known from here")
    if len(found) < 3:
        raise statement.refused("a server has a name and an address")
    name = found[1].value(statement.variables)
    if name is None:
        raise statement.refused("the name of the server cannot be known from here")
    try:
        where = address.destination(template(found[2]), statement.variables)
    except WordsError as error:
        raise statement.refused(str(error)) from None
    return Server(statement, name, where, _options(statement, found[3:]), defaults)


def _options(statement: Statement, found: List[Word]) -> List[Option]:
    try:
        return options.parse(found)
    except WordsError as error:
        raise statement.refused(str(error)) from None


def _defaults_of(section: Section, defaults: Iterable[Proxy]) -> List[Statement]:
    """The lines of the last ones before, or of those that it names."""
    known = list(defaults)
    if section.based:
        known = [one for one in known if one.section.name == section.based]
    elif section.kind == "defaults":
        known = []
    return known[-1].inherited + known[-1].own if known else []


def _texts(statement: Statement) -> List[str]:
    return [statement.keyword, *statement.rest]
