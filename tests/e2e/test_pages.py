"""Every page, light and dark: nothing that axe or the content security policy objects to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import Visitor, visitor
from tests.e2e.scenery import Scenery, paint
from tests.e2e.screens import PAGES
from tests.servers import Running

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
DRAWERS = {
    "/requests/": "#log-rows tbody a >> nth=0",
    "/tenants/": "button:has-text('New tenant')",
    "/keys/": "button:has-text('New key')",
    "/budgets/": "button:has-text('Set a limit')",
    "/people/": "button:has-text('New admin token')",
    "/routes/": "button:has-text('New route')",
    "/credentials/": "button:has-text('New credential')",
    "/prices/?provider=simulator": "tbody a >> nth=0",
    "/audit/": "tbody a >> nth=0",
}


@pytest.fixture(scope="module")
def scenery(running: Running) -> Scenery:
    return paint(running)


@pytest.fixture(scope="module", params=["light", "dark"])
def guest(
    request: pytest.FixtureRequest, running: Running, chromium: Browser, scenery: Scenery
) -> Iterator[Visitor]:
    dark = request.param == "dark"
    with visitor(chromium, running.url, cookie=scenery.cookie, dark=dark) as someone:
        yield someone


def objections(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES)
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("path", PAGES.values())
def test_a_page_is_accessible_and_within_the_policy(guest: Visitor, path: str) -> None:
    page = guest.open(path)
    expect(page.locator("h1")).to_be_visible()

    assert objections(page) == []
    assert guest.violations(page) == []
    assert [said for said in guest.complaints if said.startswith(f"{path}:")] == []
    page.close()


@pytest.mark.parametrize(("path", "opener"), DRAWERS.items())
def test_a_drawer_is_accessible_and_within_the_policy(
    guest: Visitor, path: str, opener: str
) -> None:
    page = guest.open(path)

    page.locator(opener).click()

    expect(page.locator("#drawer.show h2")).to_be_visible()
    page.wait_for_timeout(400)  # until it stands still
    assert objections(page) == []
    assert guest.violations(page) == []
    page.close()


@pytest.mark.parametrize("path", ["/account/login/", "/account/2fa/"])
def test_what_is_seen_before_logging_in_is_accessible(
    running: Running, chromium: Browser, path: str
) -> None:
    with visitor(chromium, running.url) as stranger:
        page = stranger.open(path)

        assert objections(page) == []
        assert stranger.violations(page) == []


@pytest.mark.parametrize("path", ["/nothing/here/", "/tenants/never-made/"])
def test_a_page_that_is_not_there_says_so_within_the_frame(guest: Visitor, path: str) -> None:
    page = guest.open(path)

    expect(page.locator("h1")).to_have_text("Not Found")
    assert objections(page) == []
    page.close()


@pytest.mark.parametrize("path", PAGES.values())
def test_a_narrow_page_does_not_scroll_sideways(
    running: Running, chromium: Browser, scenery: Scenery, path: str
) -> None:
    with visitor(chromium, running.url, cookie=scenery.cookie, width=390) as phone:
        page = phone.open(path)
        page.wait_for_timeout(200)

        width = page.evaluate("document.documentElement.scrollWidth")

        assert width <= 390


def test_a_chain_is_verified_with_progress_and_a_good_end(guest: Visitor) -> None:
    page = guest.open("/audit/")

    page.get_by_role("button", name="Verify").click()

    expect(page.locator("main [role=status]").last).to_contain_text("Intact", timeout=20_000)
    page.close()


def test_the_playground_streams_an_answer(guest: Visitor, scenery: Scenery) -> None:
    page = guest.open("/playground/")
    page.get_by_label("API key").fill(scenery.key)
    page.get_by_role("combobox", name="Model").fill("sim-echo")
    page.get_by_label("Message").fill("Say it back to me")

    page.get_by_role("button", name="Send").click()

    expect(page.locator("main")).to_contain_text("Say it back to me", timeout=10_000)
    expect(page.locator("main")).to_contain_text("tokens", timeout=10_000)
    page.close()
