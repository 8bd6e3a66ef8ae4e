"""report.html in a real browser without network: it loads, it answers to pointing and choosing, and
the console stays free of errors.

Playwright is needed (the extra `browser`), and a browser: its own (`playwright install chromium`),
or the system's (Debian: `apt-get install chromium`). With MIPS_JAX_PICTURES=docs/pictures the
screenshots of the documentation are taken.
"""

import io
import os
import shutil
from pathlib import Path

import pytest

from tests.reporting import machine_runs
from tests.reporting.test_page import CLAIM, WRONG

pytestmark = pytest.mark.slow
SYSTEMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root no sandbox can be had; software draws what a graphics card would.
FLAGS = ["--no-sandbox", "--enable-unsafe-swiftshader"]
MOST_BYTES = 200_000  # of a screenshot


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api",
        reason="playwright is not installed (pip install 'mips_jax[browser]')",
    )
    with playwright.sync_playwright() as driver:
        own = Path(driver.chromium.executable_path)
        path = str(own) if own.exists() else next(filter(None, map(shutil.which, SYSTEMS)), None)
        if path is None:
            pytest.skip("no browser is here (playwright install chromium)")
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of a machine; at the end no error was said and nothing asked of a network."""
    context = browser.new_context(viewport={"width": 1100, "height": 800}, offline=True)
    problems, asked = [], []

    def open_page(states):
        path = machine_runs.shown(states, claims=[CLAIM, WRONG]).report().save(tmp_path / "r.html")
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else 0)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        for figure in ("machine-0", "hidden-0"):
            page.wait_for_selector(f"#{figure} .main-svg", timeout=60_000)
        return page

    yield open_page
    context.close()
    assert problems == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def hover_text(page, figure):
    page.wait_for_selector(f"#{figure} .hovertext", timeout=10_000)
    return " ".join(page.locator(f"#{figure} .hovertext").all_text_contents())


def node(page, state):
    """The middle of a state's circle, in pixels of the window."""
    page.locator("#machine-0").scroll_into_view_if_needed()
    circles = page.locator("#machine-0 .scatterlayer .trace:last-child .points path")
    box = circles.nth(state).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def picture(page, name):
    """Keeps a screenshot for the documentation, where that is asked for."""
    folder = os.environ.get("MIPS_JAX_PICTURES")
    image = page.screenshot()
    assert len(image) > 10_000  # something is drawn
    if folder:
        from PIL import Image

        path = Path(folder) / f"{name}.png"
        Image.open(io.BytesIO(image)).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(
            path, optimize=True
        )
        assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("states", [2, 24, 200])
def test_pointing_at_a_state_says_where_it_leads(states, opened):
    page = opened(states)
    state = states - 1
    page.mouse.move(*node(page, state))
    text = hover_text(page, "machine-0")
    assert f"state {state}" in text
    machine = machine_runs.machine(states)
    for target in set(machine.transition[state].tolist()):
        assert f"\u2192 {target}:" in text
    titles = [b.get_attribute("data-title") for b in page.query_selector_all(".modebar-btn")]
    assert "Pan" in titles and not any("Share" in t or "loud" in t for t in titles)
    picture(page, f"report_{states}_states")


@pytest.mark.parametrize("states", [2, 24, 200])
def test_choosing_a_letter_leaves_its_arrows_only(states, opened):
    page = opened(states)
    page.locator("#machine-0").scroll_into_view_if_needed()
    heads = page.locator("#machine-0 .scatterlayer .trace .points path")
    count = heads.count()
    edges = len(
        {
            (s, t)
            for s, row in enumerate(machine_runs.machine(states).transition)
            for t in row.tolist()
        }
    )
    assert count == edges + states
    page.locator("#machine-0 .updatemenu-header").click()
    page.locator("#machine-0 .updatemenu-dropdown-button").nth(2).click()
    page.wait_for_timeout(500)
    assert heads.count() == 2 * states  # an arrow for each state, and the states


@pytest.mark.parametrize("states", [2, 24, 200])
def test_hidden_states_turn_and_say_their_word(states, opened):
    page = opened(states)
    plot = page.locator("#hidden-0")
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    box = plot.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    eye = lambda: page.evaluate("document.getElementById('hidden-0')._fullLayout.scene.camera.eye")
    before = eye()
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 40, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert eye() != before
    said = []
    for x, y in ((x, y) for y in range(40, 600, 14) for x in range(200, 900, 14)):
        page.mouse.move(box["x"] + x, box["y"] + y)
        found = page.locator("#hidden-0 .hovertext").all_text_contents()
        said += [text for text in found if "after" in text]
        if said:
            break
    assert said
    picture(page, f"hidden_states_{states}_states")


def test_the_table_of_a_large_machine_answers_to_pointing(opened):
    page = opened(200)
    table = page.locator("#machine-1")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    assert "state" in hover_text(page, "machine-1")


def test_it_zooms(opened):
    page = opened(24)
    x, y = node(page, 0)
    extent = lambda: page.evaluate(
        "document.getElementById('machine-0')._fullLayout.xaxis.range.slice()"
    )
    before = extent()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(800)
    after = extent()
    assert after[1] - after[0] < before[1] - before[0]
