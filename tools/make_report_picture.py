# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes docs/images/report.png and report-dark.png: the page of a fleet of 48 hosts, as Chromium shows it.

    python tools/make_report_picture.py

Needs selenium, and Debian's chromium and chromium-driver.
"""

from __future__ import annotations

import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / ".cache"), str(ROOT / "tests" / "benchmark"), str(ROOT / "tests" / "unit")]

import report_fleet  # noqa: E402
from ansible_collections.tcpops.timewait.plugins.plugin_utils._findings import thresholds  # noqa: E402
from ansible_collections.tcpops.timewait.plugins.plugin_utils._report import audit  # noqa: E402
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=1.5 "
    "--window-size=1340,1290"
)
HOSTS = 48


def main() -> None:
    images = ROOT / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in FLAGS.split():
        options.add_argument(flag)
    with tempfile.TemporaryDirectory() as directory:
        options.add_argument(f"--user-data-dir={directory}/profile")
        audit.write(report_fleet.fleet(HOSTS), thresholds.merge({}), f"{directory}/report")
        browser = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver") or "chromedriver")
        )
        try:
            browser.get(f"file://{directory}/report/index.html")
            # Folded, so that the pools come into the picture.
            browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = false; })")
            browser.execute_script("document.documentElement.dataset.theme = 'light'")
            browser.save_screenshot(str(images / "report.png"))
            browser.execute_script("document.getElementById('theme').click()")
            browser.save_screenshot(str(images / "report-dark.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
