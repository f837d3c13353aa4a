# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a browser: hostile hosts stay text, and everything that can be clicked works."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
import report_fleet
from conftest import Opened
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from support.facts_factory import make_facts, make_pool

Open = Callable[[dict[str, Any]], Opened]

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)><svg onload=alert(4)>",
    "javascript:alert(5)",
    '" onmouseover="alert(6)" x="',
    "<!--<script>",
    "{{ 7*7 }}{% raw %}${alert(7)}",
    "\033[2J\033]0;owned\007",
    "\u202egnp.exe\u2066",
    "<link rel=stylesheet href=//example.com/x.css><iframe src=//example.com></iframe>",
    "]]>\u2028\u2029'\\u003cscript>",
    "A" * 5_000_000,
    "__proto__",
]


def registered(**overrides: Any) -> dict[str, Any]:
    return {"ansible_facts": {"timewait": make_facts(**overrides)}}


def hostile(text: str) -> dict[str, Any]:
    pool = make_pool(used=28000, local_address=text, remote_address=text, remote_port=text)
    result = registered(pools=[pool], unavailable=[{"what": text, "reason": text}])
    facts = result["ansible_facts"]["timewait"]
    facts["kernel"]["release"] = text
    facts["namespaces"][0]["label"] = text
    facts["namespaces"][0]["sysctls"]["ip_local_reserved_ports"] = text
    facts["namespaces"][0]["sysctls"][text[:100]] = text
    return result


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "did not happen in 5 s"
        time.sleep(0.02)


def click(page: Opened, element: Any) -> None:
    page.run("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def test_hostile_hosts_stay_text(open_report: Open) -> None:
    hosts = {f"host{n}": hostile(text) for n, text in enumerate(HOSTILE)}
    hosts |= {text[:1000]: {"unreachable": True, "msg": text} for text in HOSTILE}
    page = open_report(hosts)
    before = page.run(
        "return document.querySelectorAll('script, img, iframe, link, base, object, embed').length"
    )
    for details in page.all("details"):
        page.run("arguments[0].open = true", details)
    for button in page.run("return [...document.querySelectorAll('button.open')]"):
        page.run("arguments[0].click()", button)
    with pytest.raises(NoAlertPresentException):
        page.browser.switch_to.alert.text  # noqa: B018
    assert before == 3, "the data, the script, and the empty icon"
    assert (
        page.run("return document.querySelectorAll('script, img, iframe, link, base, object, embed').length")
        == 3
    )
    assert page.run("return document.querySelectorAll('[onerror], [onload], [onmouseover]').length") == 0
    assert page.run(
        "return [...document.querySelectorAll('a')].every((a) => a.getAttribute('href')[0] === '#')"
    )
    assert page.browser.get_log("browser") == []
    assert page.requests() == []
    shown = page.run("return document.body.innerText")
    assert "<script>alert(1)</script>" in shown
    assert "\\x1b[2J" in shown
    assert "\\u202e" in shown
    assert "\u202e" not in shown
    assert len(page.run("return document.documentElement.outerHTML")) < 3_000_000


def test_the_policy_stops_what_would_slip_through(open_report: Open) -> None:
    page = open_report({"web1": registered()})
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
        "const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
    )
    wait_for(lambda: len(page.browser.get_log("browser")) >= 1)
    assert page.run("return window.ran") is None


@pytest.fixture(name="fleet")
def _fleet(open_report: Open) -> Opened:
    return open_report(dict(report_fleet.fleet(300)))


def test_nothing_is_asked_for_and_nothing_fails(fleet: Opened) -> None:
    assert fleet.requests() == []
    assert fleet.browser.get_log("browser") == []


@pytest.mark.parametrize("number", [True, False])
def test_sorting(fleet: Opened, number: bool) -> None:
    title, column = ("TIME-WAIT", 5) if number else ("Host", 1)
    head = next(th for th in fleet.all("#hosts th") if th.text.startswith(title))
    seen = []
    for _turn in range(2):
        click(fleet, head.find_element("css selector", "button"))
        cells = fleet.texts(f"#hosts tbody tr td:nth-child({column})")
        seen.append((head.get_attribute("aria-sort"), cells))
    order = dict(seen)
    assert set(order) == {"ascending", "descending"}
    if number:
        figures = [int(cell.replace("\u202f", "")) for cell in order["descending"]]
        assert figures == sorted(figures, reverse=True)
        assert figures[0] > 0
    else:
        assert order["ascending"][0] == "cache01.example.net"
        assert order["descending"][0].startswith("web2")


def test_filtering_and_slices(fleet: Opened) -> None:
    assert len(fleet.all("#hosts tbody tr")) == 200
    click(fleet, fleet.find("#hosts .more"))
    assert len(fleet.all("#hosts tbody tr")) == 300
    field = fleet.find("#hosts input")
    field.send_keys("UNREACHABLE")
    wait_for(lambda: 0 < len(fleet.all("#hosts tbody tr")) < 10)
    assert "of 300" in fleet.find("#hosts .shown").text
    field.send_keys(" nothing like it")
    wait_for(lambda: not fleet.all("#hosts tbody tr"))
    field.send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
    wait_for(lambda: len(fleet.all("#hosts tbody tr")) == 200)


def test_details_are_made_when_they_are_opened(fleet: Opened) -> None:
    assert not fleet.all("tr.detail")
    row = next(tr for tr in fleet.all("#hosts tbody tr")[:20] if tr.text.startswith("edge"))
    button = row.find_element("css selector", "button.open")
    click(fleet, button)
    assert button.get_attribute("aria-expanded") == "true"
    detail = fleet.find("tr.detail")
    assert "closes/s" in detail.text
    assert detail.find_elements("css selector", "svg.spark, svg .spark")
    click(fleet, button)
    assert not fleet.all("tr.detail")


def test_copy(fleet: Opened) -> None:
    fleet.browser.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    remedy = fleet.find("details[open] .worst .remedy")
    click(fleet, remedy.find_element("css selector", "button.copy"))
    wait_for(lambda: fleet.find("#said").text == "Copied")
    command = remedy.find_element("css selector", "code").text
    field = fleet.find("#hosts input")
    field.send_keys(Keys.CONTROL, "v")
    assert field.get_attribute("value") == command
    assert command.startswith("sysctl -w")


def test_keyboard_alone(fleet: Opened) -> None:
    keys = ActionChains(fleet.browser)
    fleet.run("document.activeElement.blur()")
    keys.send_keys(Keys.TAB).perform()
    assert fleet.run("return document.activeElement.className") == "skip"
    cells = fleet.all("#strip button")
    assert len(cells) == 300
    assert (
        fleet.run(
            "return [...document.querySelectorAll('#strip button')].filter((b) => b.tabIndex === 0).length"
        )
        == 1
    )
    fleet.run("document.querySelector('#strip button').focus()")
    ActionChains(fleet.browser).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).perform()
    label = fleet.run("return document.activeElement.getAttribute('aria-label')")
    assert label == cells[2].get_attribute("aria-label")
    assert fleet.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    ActionChains(fleet.browser).send_keys(Keys.ENTER).perform()
    wait_for(lambda: fleet.all("tr.detail"))
    assert fleet.run("return document.activeElement.className") == "open"
    summary = fleet.all("details.group > summary")[-1]
    fleet.run("arguments[0].focus()", summary)
    ActionChains(fleet.browser).send_keys(Keys.SPACE).perform()
    assert fleet.run("return arguments[0].parentElement.open", summary) is True


def test_dark_and_light(fleet: Opened) -> None:
    def background() -> str:
        return str(fleet.run("return getComputedStyle(document.body).backgroundColor"))

    def prefer(scheme: str) -> None:
        fleet.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )

    prefer("light")
    light = background()
    prefer("dark")
    dark = background()
    assert light != dark
    click(fleet, fleet.find("#theme"))
    assert background() == light, "the button wins over the system"
    click(fleet, fleet.find("#theme"))
    assert background() == dark
    prefer("")


LUMINANCE = """
const parts = (c) => c.match(/[0-9.]+/g).slice(0, 3).map(Number);
const light = (c) => parts(c).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (!c.endsWith(", 0)")) return c; } return "rgb(255, 255, 255)"; };
const some = [...document.querySelectorAll(".tag, .tile span, .note, td, th button, h1, code")].slice(0, 1500);
return some.map((e) => {
  const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), e.className + " " + e.textContent.slice(0, 20)]; }).filter(([ratio]) => ratio < 4.5);
"""


def test_contrast_of_both_themes(fleet: Opened) -> None:
    for _theme in range(2):
        assert fleet.run(LUMINANCE) == []
        click(fleet, fleet.find("#theme"))


def test_print_shows_every_finding_in_light(fleet: Opened) -> None:
    click(fleet, fleet.find("#theme"))
    pdf = base64.b64decode(
        fleet.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    )
    assert pdf.startswith(b"%PDF")
    fleet.run("window.dispatchEvent(new Event('beforeprint'))")
    assert fleet.run("return [...document.querySelectorAll('details')].every((d) => d.open)")
    fleet.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert fleet.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not [button for button in fleet.all(".copy, .open, #theme, nav") if button.is_displayed()]
    finally:
        fleet.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_matrix_marks_what_differs(fleet: Opened) -> None:
    odd = set(fleet.texts("#kernel td.odd"))
    assert "1024 65535" in odd
    assert "32768 60999" not in odd


def test_narrow_windows_do_not_scroll_sideways(fleet: Opened) -> None:
    size = fleet.browser.get_window_size()
    try:
        fleet.browser.set_window_size(520, 900)
        wide = fleet.run(
            "return [...document.querySelectorAll('main *')].filter((e) => !e.closest('.table')"
            " && e.getBoundingClientRect().right > 521).map((e) => e.outerHTML.slice(0, 80))"
        )
        assert wide == []
    finally:
        fleet.browser.set_window_size(size["width"], size["height"])


def test_ten_thousand_hosts_stay_usable(open_report: Open) -> None:
    started = time.monotonic()
    page = open_report(dict(report_fleet.fleet(10_000, pools=1)))
    loaded = page.run("const t = performance.getEntriesByType('navigation')[0]; return t.domComplete")
    assert time.monotonic() - started < 60
    assert loaded < 10_000
    assert page.run("return document.querySelectorAll('*').length") < 40_000
    before = time.monotonic()
    page.find("#hosts input").send_keys("edge1")
    wait_for(lambda: "of 10" in page.find("#hosts .shown").text)
    assert time.monotonic() - before < 3
    assert page.browser.get_log("browser") == []


def test_without_script_the_page_still_tells(open_report: Open) -> None:
    page = open_report(
        {"web1": registered(pools=[make_pool(used=28000)]), "web2": {"unreachable": True, "msg": "No route"}}
    )
    page.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.browser.refresh()
        text = page.find("main").text
    finally:
        page.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    for told in ("1 host of 1 needs work.", "No route", "TW-POOL-003", "sysctl -w", "audit.json"):
        assert told in text


def test_a_pool_that_connect_may_take_over_is_pale_and_not_red(open_report: Open) -> None:
    full = make_pool(used=10000, time_wait=10000, reusable=9900, capacity=10000)
    page = open_report({"web1": registered(pools=[full])})
    wait_for(lambda: page.all("#pools svg .reusable"))
    (row,) = page.texts("#pools tbody tr")
    assert "9\u202f900 reusable" in row
    widths = {kind: float(page.find(f"#pools svg .{kind}").get_attribute("width")) for kind in ("reusable", "full")}
    assert widths["full"] < 0.05 * widths["reusable"]
    assert not page.all("#pools svg .full.high")
