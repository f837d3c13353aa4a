# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a ``server`` or ``default-server`` line of HAProxy (configuration.txt, 5.2). Pure text."""

from typing import Iterable, List, NamedTuple, Optional, Tuple

from ..._listeners.haproxy.words import Word, WordsError

_FLAG_NAMES = (
    "agent-check allow-0rtt backup check check-reuse-pool check-send-proxy check-sni-auto check-ssl check-via-socks4"
    " disabled enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-agent-check no-backup"
    " no-check no-check-reuse-pool no-check-send-proxy no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy"
    " no-send-proxy-v2 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-sni-auto no-ssl no-ssl-reuse no-sslv3 no-tfo"
    " no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-verifyhost non-stick renegotiate send-proxy"
    " send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn sni-auto ssl ssl-reuse stick strict-maxconn tfo tls-tickets"
)
_NAMES_WITH_VALUE = (
    "addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn check-pool-conn-name check-proto"
    " check-sni ciphers ciphersuites client-sigalgs cookie crl-file crt curves downinter ech error-limit fall fastinter"
    " guid hash-key healthcheck id idle-ping init-addr init-state inter ktls log-bufsize log-proto max-reuse maxconn"
    " maxqueue minconn namespace npn observe on-error on-marked-down on-marked-up pool-conn-name pool-low-conn"
    " pool-max-conn pool-purge-delay port proto proxy-v2-options redir renegotiate resolve-net resolve-opts"
    " resolve-prefer resolvers rise shard sigalgs slowstart sni socks4 source ssl-max-ver ssl-min-ver tcp-md5sig tcp-ut"
    " track verify verifyhost weight ws"
)
_FLAGS = frozenset(_FLAG_NAMES.split())
_WITH_VALUE = frozenset(_NAMES_WITH_VALUE.split()) - _FLAGS
#: the name of a field follows in brackets
_TLV = "set-proxy-v2-tlv-fmt("
#: what may follow the address of ``source``, each with a value
_OF_SOURCE = ("usesrc", "interface")

#: what is turned off by another one
_OPPOSITES = {
    "check": "no-check", "agent-check": "no-agent-check", "backup": "no-backup", "disabled": "enabled", "ssl": "no-ssl",
    "send-proxy": "no-send-proxy", "send-proxy-v2": "no-send-proxy-v2",
}  # fmt: skip


class Option(NamedTuple):
    """``values``: the words that follow its name. ``start``, ``end``: where all of it stands in the line."""

    name: str
    values: Tuple[Word, ...]
    start: int
    end: int

    @property
    def value(self) -> str:
        """Its value without quotes, variables as they are written; empty where it has none."""
        return self.values[0].text if self.values else ""


def parse(words: List[Word]) -> List[Option]:
    """The options in a list of words.

    :raises WordsError: when one is not known, so that it cannot be told where the next one begins.
    """
    found: List[Option] = []
    at = 0
    while at < len(words):
        name = words[at].text
        if name in _FLAGS:
            size = 1
        elif name in _WITH_VALUE or name.startswith(_TLV):
            size = 2
            while name == "source" and at + size < len(words) and words[at + size].text in _OF_SOURCE:
                size += 2
        else:
            raise WordsError("the option %s of a server is not known here, so that it cannot be cloned" % name)
        if at + size > len(words):
            raise WordsError("the option %s has no value" % name)
        values = tuple(words[at + 1 : at + size])
        found.append(Option(name, values, words[at].start, words[at + size - 1].end))
        at += size
    return found


def last(options: Iterable[Option], name: str) -> Optional[Option]:
    """The one that counts of several."""
    found = [one for one in options if one.name == name]
    return found[-1] if found else None


def is_on(options: Iterable[Option], name: str) -> bool:
    """Whether a flag that others can take back is set in the end."""
    found = [one.name for one in options if one.name in (name, _OPPOSITES[name])]
    return found[-1:] == [name]


def known(words: List[Word]) -> List[Option]:
    """The options in a list of words, up to one that is not known."""
    for end in range(len(words), 0, -1):
        try:
            return parse(words[:end])
        except WordsError:
            continue
    return []
