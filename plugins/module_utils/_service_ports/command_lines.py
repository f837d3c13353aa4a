# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that a command line names plainly. Pure text, and a guess: every program has options of its own.

A port is taken where an option says that it is one to serve on; any other number is nothing. ``host:port`` without
such an option is mostly where a program connects to, and is left out.
"""

import re
import shlex
from typing import List, Tuple

from .endpoints import Span, endpoint_spans, port_span

#: words of an option's name that mean an address to serve on
_SERVES = re.compile(r"(?:^|[-_.])(?:listen(?:ers?|ing)?|bind|http|https|grpc|metrics|addr(?:ess)?|hosts?)(?:$|[-_.])")
#: the last word of an option whose value is a number of a port
_PORT = re.compile(r"(?:^|[-_.])ports?$")
#: options that name somebody else's port
_REMOTE = re.compile(
    r"(?:^|[-_.])(?:remote|upstream|target|peer|join|proxy|master|primary|connect|to|db|database|server|endpoint|advertise)"
    r"(?:$|[-_.])"
)
_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)(?:=(.*))?\Z", re.DOTALL)
#: what containers publish: the second last number is the host's port
_PUBLISHED = re.compile(r"(?:.*:)?([0-9-]+):[0-9-]+(?:/tcp)?\Z")
_SHORT_PORT = re.compile(r"-[pP]=?([0-9]{1,5})\Z")


def words_of(line: str) -> List[str]:
    """Words of a command line; where its quotes do not match, split at white space."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def ports_named(words: List[str]) -> List[Tuple[Span, str]]:
    """``(ports, words that name them)`` of options such as ``--port 8443``, ``-p 11211``, ``--listen=:9090``."""
    named: List[Tuple[Span, str]] = []
    for number, word in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else ""
        short = _SHORT_PORT.match(word)
        if short:
            named += [(span, word) for span in port_span(short.group(1))]
            continue
        if word in ("-p", "-P", "--publish"):
            published = _PUBLISHED.match(following)
            text = "%s %s" % (word, following)
            named += [(span, text) for span in port_span(published.group(1) if published else following)]
            continue
        option = _OPTION.match(word)
        if not option:
            continue
        separate = option.group(2) is None
        value = following if separate else option.group(2)
        text = "%s %s" % (word, following) if separate else word
        named += [(span, text) for span in _option_spans(option.group(1).lower(), value)]
    return named


def _option_spans(name: str, value: str) -> List[Span]:
    if _REMOTE.search(name):
        return []
    if _PORT.search(name):
        return endpoint_spans(value)
    if _SERVES.search(name) and ":" in value:
        return endpoint_spans(value)
    return []
