# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium, with every event of its network and console on record."""

from __future__ import annotations

import json
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "benchmark"), str(ROOT / "tests" / "unit")]
LINK = ROOT / ".cache" / "ansible_collections" / "tcpops" / "timewait"
if not LINK.is_symlink() and not LINK.exists():
    LINK.parent.mkdir(parents=True, exist_ok=True)
    LINK.symlink_to("../../..")
sys.path.insert(0, str(ROOT / ".cache"))

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,1000"
)


@pytest.fixture(name="browser", scope="session")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("needs Debian's chromium and chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # A dialog must stay open, so that a test can see it.
    options.unhandled_prompt_behavior = "ignore"
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


class Opened:
    """A report in the browser."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.browser.find_elements("css selector", selector)
        return found

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector
        )
        return found

    def requests(self) -> list[str]:
        """Addresses that the page asked for, the page itself left out."""
        events = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("data:", "file:///"))] + [
            url
            for url in urls
            if url.startswith("file:///") and not url.split("#")[0].endswith("/index.html")
        ]


@pytest.fixture(name="open_report")
def _open_report(browser: Any, tmp_path: pathlib.Path) -> Callable[[dict[str, Any]], Opened]:
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import thresholds
    from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit

    def open_report(results: dict[str, Any]) -> Opened:
        audit.write(iter(results.items()), thresholds.merge({}), str(tmp_path))
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(f"file://{tmp_path}/index.html")
        return Opened(browser)

    return open_report
