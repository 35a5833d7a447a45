"""`python -m tests.e2e.screens folder`: pictures of each page, light, dark and 390 px wide."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests import servers
from tests.e2e.browser import chromium, visitor
from tests.e2e.scenery import paint

PAGES = {
    "overview": "/",
    "requests": "/requests/",
    "playground": "/playground/",
    "tenants": "/tenants/",
    "tenant": "/tenants/acme/",
    "keys": "/keys/",
    "budgets": "/budgets/",
    "people": "/people/",
    "routes": "/routes/",
    "credentials": "/credentials/",
    "prices": "/prices/?provider=simulator",
    "reports": "/reports/",
    "audit": "/audit/",
    "account": "/account/",
}
LOOKS = {"light": (False, 1280), "dark": (True, 1280), "narrow": (False, 390)}
DRAWER = {"requests": "tbody tr >> nth=0"}


def shoot(house: servers.Running, cookie: str, folder: Path) -> list[str]:
    """Writes PNG files; returns what any page complained of."""
    complaints: list[str] = []
    with chromium() as browser:
        for look, (dark, width) in LOOKS.items():
            with visitor(browser, house.url, cookie=cookie, dark=dark, width=width) as guest:
                for name, path in PAGES.items():
                    page = guest.open(path)
                    page.wait_for_timeout(400)
                    page.screenshot(path=folder / f"{name}-{look}.png")
                    complaints += guest.violations(page)
                    page.close()
                complaints += guest.complaints
            with visitor(browser, house.url, dark=dark, width=width) as stranger:
                page = stranger.open("/account/login/")
                page.screenshot(path=folder / f"login-{look}.png")
                complaints += stranger.violations(page) + stranger.complaints
    return complaints


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        house = servers.start(Path(data))
        try:
            complaints = shoot(house, paint(house).cookie, folder)
        finally:
            house.stop()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    for complaint in complaints:
        print(complaint)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
