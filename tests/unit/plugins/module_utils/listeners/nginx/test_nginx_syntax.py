# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words, directives and blocks; Lua code; addresses."""

from __future__ import annotations

import time

import pytest
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.errors import ConfigurationRefusedError
from ansible_collections.tcpops.timewait.plugins.module_utils._listeners.nginx import address, lua, syntax
from ansible_collections.tcpops.timewait.tests.lab.nginx_cases import SNIPPETS, in_server


def shape(directives: list[syntax.Directive]) -> list:
    """Words, with what is inside a block behind them."""
    return [
        [*(word.value for word in one.words), *([shape(one.block.directives)] if one.block else [])]
        for one in directives
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\r\n# only a comment", []),
        ("a;", [["a"]]),
        ("a b  c;d;", [["a", "b", "c"], ["d"]]),
        ("a 'b c' \"d;{}\";", [["a", "b c", "d;{}"]]),
        (r"""a 'it\'s' "\\" x\;y \t;""", [["a", "it's", "\\", r"x\;y", "\t"]]),
        ("a ${b}c {d;}", [["a", "${b}c", [["d"]]]]),
        ("a $b{c;}", [["a", "$b", [["c"]]]]),
        ("a ${b{c;}", [["a", "${b", [["c"]]]]),
        ("a{b{c;}d;}e;", [["a", [["b", [["c"]]], ["d"]]], ["e"]]),
        ("if ($a = \"b\") { c; }", [["if", "($a", "=", "b", ")", [["c"]]]]),
        ("a # b;\n c;", [["a", "c"]]),
        ("a b#c;", [["a", "b#c"]]),
        ("a b}c;", [["a", "b}c"]]),
        ("x_by_lua_block { } y;", [["x_by_lua_block", []], ["y"]]),
        ("set_by_lua_block $a { return {} } y;", [["set_by_lua_block", "$a", []], ["y"]]),
    ],
)
def test_words_and_blocks(text: str, expected: list) -> None:
    assert shape(syntax.parse(text, "/f")) == expected


def test_offsets_lead_back_to_the_text() -> None:
    text = "one 'two' # x\n three;\n  four { five; }\n"
    first, second = syntax.parse(text, "/f")
    assert [text[word.start : word.end] for word in first.words] == ["one", "'two'", "three"]
    assert text[first.start : first.end] == "one 'two' # x\n three;"
    assert second.block
    assert text[second.block.start : second.block.end] == " five; "
    assert text[second.start : second.end] == "four { five; }"
    assert [first.line, second.line, second.block.directives[0].line] == [1, 3, 3]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a;\nb {\n c;\n", 2, 'the block "b" has no closing brace'),
        ("a;\n}\n", 2, 'a "}" that closes nothing'),
        ("a;\n\nb\nc", 3, '"b" has no ";" or "{"'),
        ("a {\n b\n}\n", 2, '"b" has no ";" before "}"'),
        ("a\n 'b;\n", 2, "a quoted string without its end"),
        ("a 'b\n'c;", 2, 'an unexpected "c" after a quoted string'),
        ("\n;", 2, 'an unexpected ";"'),
        ("\n{}", 2, 'an unexpected "{"'),
        ("a \\", 1, "a backslash at the end of the file"),
        ("a;\nx_by_lua_block {\n[[ }\n}", 2, "the Lua code of x_by_lua_block has no end"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigurationRefusedError) as caught:
        syntax.parse(text, "/etc/x")
    assert (caught.value.path, caught.value.line, caught.value.reason) == ("/etc/x", line, reason)
    assert str(caught.value) == f"/etc/x:{line}: {reason}"


@pytest.mark.parametrize(("snippet", "good"), SNIPPETS)
def test_the_same_is_read_as_nginx_reads(snippet: str, good: bool) -> None:
    """The integration test asks nginx about the same ones."""
    try:
        read = shape(syntax.parse(in_server(snippet), "/f"))
    except ConfigurationRefusedError:
        assert not good
        return
    assert good
    assert (len(read), len(read[1][1]), read[1][1][0][1][0]) == (2, 1, ["listen", "80"]), "braces pair as they should"


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("}x", "x"),
        (" a = {} }x", "x"),
        (" '}' }x", "x"),
        (' "}" }x', "x"),
        (r" '\'}' }x", "x"),
        (" -- }\n }x", "x"),
        (" --[[ }\n ]] }x", "x"),
        (" --[==[ ]] } ]==] }x", "x"),
        (" [[ }\n ]] }x", "x"),
        (" [=[ ]] } ]=] }x", "x"),
        (" a[b[1]] = 2 }x", "x"),
        (" it's }x\n", "x\n"),
        (" '}\n' }x", "\n' }x"),
        (" { ", None),
        (" [[ }", None),
    ],
)
def test_lua_code_ends_where_lua_says(code: str, left: str | None) -> None:
    """The last but two: a quote that its line does not close is none, as in the lexer of the module."""
    end = lua.block_end("{" + code, 1)
    assert (None if end < 0 else ("{" + code)[end + 1 :]) == left


@pytest.mark.parametrize(
    ("word", "host", "first", "last", "meaning"),
    [
        ("80", "", 80, 80, "*"),
        ("*:80", "*", 80, 80, "*"),
        ("*", "*", 80, 80, "*"),
        ("0.0.0.0:8080", "0.0.0.0", 8080, 8080, "*"),
        ("127.0.0.1", "127.0.0.1", 80, 80, "127.0.0.1"),
        ("127.0.0.1:81", "127.0.0.1", 81, 81, "127.0.0.1"),
        ("[::]:80", "[::]", 80, 80, "::"),
        ("[::0]:80", "[::0]", 80, 80, "::"),
        ("[2001:DB8::1]", "[2001:DB8::1]", 80, 80, "2001:db8::1"),
        ("[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]", 80, 80, "::ffff:102:304"),
        ("localhost:443", "localhost", 443, 443, "localhost"),
        ("Www.Example.com", "Www.Example.com", 80, 80, "www.example.com"),
        ("8000-8010", "", 8000, 8010, "*"),
        ("[::]:8000-8010", "[::]", 8000, 8010, "::"),
    ],
)
def test_addresses(word: str, host: str, first: int, last: int, meaning: str) -> None:
    endpoint = address.parse(word, 80)
    assert endpoint
    assert endpoint == (host, first, last)
    assert endpoint.address == meaning
    assert address.parse(endpoint.with_port(81), None) == (host, 81, 81)


def test_a_unix_socket_is_no_address() -> None:
    assert address.parse("unix:/run/x.sock", 80) is None
    assert address.parse("UNIX:/run/x.sock", 80) is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("$port", "variable"),
        ("127.0.0.1:${port}", "variable"),
        ("0", "1 to 65535"),
        ("65536", "1 to 65535"),
        ("81-80", "1 to 65535"),
        (":80", "neither a port"),
        ("a:b", "neither a port"),
        ("::1:80", "neither a port"),
        ("[::1", "neither a port"),
        ("[::1]80", "neither a port"),
        ("*.example.com:80", "neither a port"),
        ("{{ port }}", "neither a port"),
        ("80/tcp", "neither a port"),
    ],
)
def test_addresses_that_cannot_be_known(word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        address.parse(word, 80)


def test_an_address_without_a_port_needs_a_default() -> None:
    with pytest.raises(ValueError, match="names no port"):
        address.parse("127.0.0.1", None)


def test_large_and_hostile_files_are_read_in_time_that_grows_with_their_size() -> None:
    """A hundredth of a second or so each; a pattern that tries every way would take longer than the universe."""
    texts = ["'" + "a\\b" * 20000, "x " * 100000, "{" * 50000, "a{" * 50000, "a \\" * 50000]
    texts.append("x_by_lua_block {" + "'\"[[" * 30000)
    start = time.monotonic()
    for text in texts:
        with pytest.raises(ConfigurationRefusedError):
            syntax.parse(text, "/f")
    assert len(syntax.parse("a { b c; }\n" * 20000, "/f")) == 20000
    assert time.monotonic() - start < 60
