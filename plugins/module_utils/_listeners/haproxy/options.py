# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a ``bind`` line for another port (configuration.txt, "Bind options"). Pure text."""

from typing import List, Tuple

from .words import Word, WordsError

#: what a proxy has once: another listener gets another, or none
_NUMBER = "id"
_NAMES = ("name", "guid-prefix")

_FLAG_NAMES = (
    "accept-proxy allow-0rtt defer-accept force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13"
    " generate-certificates no-alpn no-ca-names no-sslv3 no-strict-sni no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12"
    " no-tlsv13 prefer-client-ciphers quic-force-retry ssl strict-sni tfo tls-tickets transparent v4v6 v6only"
)
_NAMES_WITH_VALUE = (
    "accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file cc ciphers"
    " ciphersuites client-sigalgs crl-file crt crt-ignore-err crt-list curves default-crt ecdhe ech expose-fd gid group"
    " guid-prefix id idle-ping interface ktls label level maxconn mode mss name namespace nbconn nice npn process proto"
    " quic-cc-algo quic-socket severity-output shards sigalgs ssl-max-ver ssl-min-ver tcp-md5sig tcp-ss tcp-ut thread"
    " tls-ticket-keys uid user verify"
)
_FLAGS = frozenset(_FLAG_NAMES.split())
_WITH_VALUE = frozenset(_NAMES_WITH_VALUE.split())


def for_port(line: str, start: int, options: List[Word], port: int) -> str:
    """The end of a line for a listener on another port: without ``id``, and with another ``name``.

    :param start: where the end begins. :param options: its words.
    :raises WordsError: when an option is not known, so that its value could be one of those.
    """
    text = ""
    last = start
    at = 0
    special = any(word.text in (_NUMBER, *_NAMES) for word in options)
    while at < len(options):
        word = options[at].text
        if word not in _FLAGS and word not in _WITH_VALUE:
            if special:
                raise WordsError("the option %s is not known here, so that a name or an id cannot be told" % word)
            break
        following = options[at + 1] if word in _WITH_VALUE and at + 1 < len(options) else options[at]
        if word == _NUMBER:
            text += line[last : options[at].start].rstrip()
            last = following.end
        elif word in _NAMES:
            text += line[last : following.end] + "-%d" % port
            last = following.end
        at += 2 if word in _WITH_VALUE else 1
    return text + (line[last : options[-1].end] if options else "")


def shared(options: List[Word]) -> Tuple[str, ...]:
    """The options that listeners of one service have in common, as far as they are known."""
    left: List[str] = []
    at = 0
    while at < len(options):
        word = options[at].text
        if word not in _FLAGS and word not in _WITH_VALUE:
            return tuple(left + [one.text for one in options[at:]])
        size = 2 if word in _WITH_VALUE else 1
        if word != _NUMBER and word not in _NAMES:
            left += [one.text for one in options[at : at + size]]
        at += size
    return tuple(left)
