"""The pages in a real browser.

Needs Playwright (the group ``browser``) and a Chromium: that of the system, or the one
that ``playwright install chromium`` fetches.
"""

from __future__ import annotations

import contextlib
import shutil

import pytest

from tests.report.conftest import VISIT

pytestmark = [pytest.mark.browser, pytest.mark.long]

PAGES = (f"{VISIT}/report.html", "products/index.html")
CONTRAST = """
() => {
  const WORDS = 'h1,h2,h3,p,a,td,th,span,b,li,summary,figcaption,pre,code,footer';
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(color)) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  for (const node of document.querySelectorAll(WORDS)) {
    if (!node.textContent.trim() || !node.checkVisibility()) continue;
    const one = light(getComputedStyle(node).color), two = light(ground(node));
    found.push((Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05));
  }
  return Math.min(...found);
}
"""


@pytest.fixture(scope="module")
def browser():
    """Start a Chromium that has no network."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not here: uv sync --group browser"
    )
    executable = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with contextlib.ExitStack() as stack:
        driver = stack.enter_context(sync_api.sync_playwright())
        try:
            # Without its sandbox, which a container does not have; it reads our own pages only.
            started = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium could be started (see CONTRIBUTING.md): {str(error).splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(params=PAGES, ids=["report", "index"])
def visit(request, browser, reported):
    """Open a page, and note what it asks for and what it complains of."""
    opened = []

    def open_page(**options):
        context = browser.new_context(offline=True, **options)
        page = context.new_page()
        asked, said = [], []
        page.on("request", lambda one: asked.append(one.url))
        page.on("console", lambda one: said.append(one.text))
        page.on("pageerror", lambda one: said.append(str(one)))
        page.on("dialog", lambda one: said.append(one.message))
        page.goto((reported / request.param).as_uri())
        page.wait_for_load_state("load")
        opened.append(context)
        return page, asked, said

    yield open_page
    for context in opened:
        context.close()


def test_no_request_leaves_the_page_and_nothing_complains(visit):
    page, asked, said = visit()

    assert [url for url in asked if not url.startswith("data:")] == [page.url]
    assert said == []


def test_attacks_in_names_do_nothing(visit):
    page, _, said = visit()
    title = page.title()
    for details in page.query_selector_all("details"):
        details.evaluate("node => { node.open = true }")
    page.wait_for_timeout(100)

    assert page.title() == title
    assert title not in ("1", "2", "3")
    assert page.evaluate("document.querySelectorAll('script').length") == 0
    assert said == []


def test_every_picture_is_decoded(visit):
    page, _, _ = visit()

    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 300)")


@pytest.mark.parametrize("width", [390, 820, 1400])
def test_no_page_is_wider_than_the_screen(visit, width):
    page, _, _ = visit(viewport={"width": width, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_are_read_in_light_and_in_dark(visit, scheme):
    page, _, _ = visit(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")

    assert page.evaluate(CONTRAST) >= 4.5
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_links_within_the_page_and_to_files_lead_there(visit):
    page, _, _ = visit()

    assert page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].every(link => document.querySelector(link.hash))"
    )


def test_the_index_leads_to_the_report_and_back(browser, reported):
    page = browser.new_context(offline=True).new_page()
    page.goto((reported / PAGES[1]).as_uri())

    page.click("table a")
    assert page.url == (reported / PAGES[0]).as_uri()
    page.click("header a")
    assert page.url == (reported / PAGES[1]).as_uri()
    page.context.close()


def test_a_page_is_printed(visit):
    page, _, _ = visit()

    document = page.pdf(format="A4")

    assert document.startswith(b"%PDF")
    assert 1 <= document.count(b"/Type /Page\n") + document.count(b"/Type /Page ") <= 40


def test_what_a_point_is_can_be_read_under_the_pointer(browser, reported):
    page = browser.new_context(offline=True).new_page()
    page.goto((reported / PAGES[0]).as_uri())

    titles = page.eval_on_selector_all(
        "svg.pointed circle title", "nodes => nodes.map(node => node.textContent)"
    )

    assert len(titles) > 40
    assert all(".fits\nBJD_TDB 24607" in title for title in titles)
    page.context.close()
