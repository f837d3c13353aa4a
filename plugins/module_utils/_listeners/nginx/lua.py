# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Lua code in a configuration ends.

Source: ``ngx_http_lua_conf_lua_block_parse`` and the token patterns of ngx_http_lua_lex.
"""

import re

# Each is looked for from the leftmost place where one matches; a quote that is not closed on its line is none.
_TOKEN = re.compile(
    r"""--\[(?P<comment>=*)\[|\[(?P<string>=*)\[|--[^\n]*|"[^"\n\\]*(?:\\[^\n][^"\n\\]*)*"|'[^'\n\\]*(?:\\[^\n][^'\n\\]*)*'|[{}]"""
)


def block_end(text: str, start: int) -> int:
    """Offset of the brace that closes a block of code, -1 when none does.

    :param start: offset behind the brace that opens it.
    """
    depth = 1
    while True:
        token = _TOKEN.search(text, start)
        if not token:
            return -1
        start = token.end()
        equals = token.group("comment") if token.group("comment") is not None else token.group("string")
        if equals is not None:
            closing = "]%s]" % equals
            found = text.find(closing, start)
            if found < 0:
                return -1
            start = found + len(closing)
        elif token.group() in ("{", "}"):
            depth += 1 if token.group() == "{" else -1
            if not depth:
                return token.start()
