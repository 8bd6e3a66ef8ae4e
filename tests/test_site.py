"""The documentation's site: it builds without a warning, its links and anchors lead somewhere, and
its pages leave nothing out.
"""

import html.parser
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import mips_jax
from tests.pages import ROOT

DOCS = ROOT / "docs"
CONFIG = (ROOT / ".mkdocs.yml").read_text(encoding="utf-8")


def test_every_page_stands_in_the_navigation():
    named = set(re.findall(r": (\w+\.md)$", CONFIG, re.MULTILINE))
    assert named == {path.name for path in DOCS.glob("*.md")} | {"index.md"}


def test_every_public_name_is_in_the_reference():
    named = re.findall(r"^::: (mips_jax\S*)$", (DOCS / "reference.md").read_text(), re.MULTILINE)
    assert sorted(name.split(".")[-1] for name in named) == sorted(mips_jax.__all__)


def test_every_benchmark_has_its_question():
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")} - {"__init__.py"}
    packages = {path.parent.name for path in (ROOT / "benchmarks").glob("*/__main__.py")}
    assert {*scripts, *packages} <= set(re.findall(r"^\| \[([\w.]+)\]", text, re.MULTILINE))


def test_every_notebook_is_listed():
    text = (DOCS / "notebooks.md").read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(../notebooks/{path.name})" in text


class Links(html.parser.HTMLParser):
    """What a page links to, shows, and can be linked to."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.links |= {found[key] for key in ("href", "src") if found.get(key)}
        if tag in ("script", "link", "img"):  # what a page loads, it has beside it
            loaded = found.get("src") or found.get("href") or ""
            assert not re.match("https?:|//", loaded), loaded


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_every_link_leads_somewhere(tmp_path):
    for module in ("material", "mkdocstrings", "nbconvert"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (pip install 'mips_jax[docs]')")
    command = ["-m", "mkdocs", "build", "--strict", "-f", ROOT / ".mkdocs.yml", "-d", tmp_path]
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    pages = {path: Links(path) for path in tmp_path.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 25
    for path, page in pages.items():
        for link in page.links:
            address, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:|//", address):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.exists(), f"{path.name}: {link}"
            if anchor and target in pages:
                assert unquote(anchor) in pages[target].anchors, f"{path.name}: {link}"
