"""The site holds what its pages link to: README.md is the first page, other Markdown files of the
repository and the notebooks become pages, and other files (sources, tests) are copied, all below
`repository/`. So every link works on the repository's host and on the site, wherever these are.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOCS = "docs/"
COPIES = "repository/"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config) -> Files:
    """Adds the first page, and every file that a page links to."""
    waiting = ["README.md", *(DOCS + file.src_uri for file in files.documentation_pages())]
    seen = set(waiting)
    files.append(File.generated(config, "index.md", content=_read("README.md")))
    while waiting:
        path = waiting.pop()
        for target in _targets(path):
            if target in seen or not (ROOT / target).is_file():
                continue
            seen.add(target)
            if target.startswith(DOCS):
                continue
            if _is_page(target):
                waiting.append(target)
                for added in _page_files(target, config):
                    files.append(added)
            else:
                files.append(File.generated(config, COPIES + target, abs_src_path=ROOT / target))
    return files


def on_page_markdown(markdown: str, page, **_) -> str:
    """Links as they are on the site."""
    source = _source_of(page.file.src_uri)
    return _outside_code(markdown, lambda text: _LINK.sub(lambda m: _link(m, source), text))


def _page_files(path: str, config) -> list[File]:
    if not path.endswith(".ipynb"):
        return [File.generated(config, COPIES + path, content=_read(path))]
    from nbconvert import MarkdownExporter

    text, resources = MarkdownExporter().from_filename(str(ROOT / path))
    folder = posixpath.dirname(COPIES + path)
    stem = posixpath.basename(path).removesuffix(".ipynb")
    pictures = {name: f"{stem}_{name}" for name in resources["outputs"]}
    for name, renamed in pictures.items():
        text = text.replace(f"({name})", f"({renamed})")
    page = File.generated(config, _on_site(path), content=_plain(text))
    return [page] + [
        File.generated(config, f"{folder}/{renamed}", content=resources["outputs"][name])
        for name, renamed in pictures.items()
    ]


def _plain(text: str) -> str:
    """Indented output of cells as fenced text."""

    def fenced(match: re.Match) -> str:
        inside = re.sub(r"(?m)^    ", "", match[0]).strip("\n")
        return f"\n```text\n{inside}\n```\n" if inside.strip() else "\n"

    return _outside_code(text, lambda part: re.sub(r"(?m)(?:^    .*\n|^\n(?=    ))+", fenced, part))


def _link(match: re.Match, source: str) -> str:
    mark, text, address = match.groups()
    if re.match(r"[a-z]+:|#", address):
        return match[0]
    path, _, anchor = address.partition("#")
    target = _resolved(source, path)
    if posixpath.basename(path) == path and not (ROOT / target).exists():
        return match[0]  # a picture of a notebook
    if not (ROOT / target).is_file() or "/." in f"/{target}":  # the site has no hidden files
        return text
    here = posixpath.dirname(_on_site(source))
    there = posixpath.relpath(_on_site(target), here or ".")
    return f"{mark}[{text}]({there}{'#' + anchor if anchor else ''})"


def _targets(path: str) -> list[str]:
    if path.endswith(".ipynb"):
        return []
    found: list[str] = []

    def noted(text: str) -> str:
        found.extend(m[3].partition("#")[0] for m in _LINK.finditer(text))
        return text

    _outside_code(_read(path), noted)
    return [_resolved(path, to) for to in found if to and not re.match(r"[a-z]+:", to)]


def _outside_code(markdown: str, change) -> str:
    return "".join(
        part if number % 2 else change(part) for number, part in enumerate(_CODE.split(markdown))
    )


def _resolved(source: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path))


def _is_page(path: str) -> bool:
    return path.endswith((".md", ".ipynb"))


def _on_site(path: str) -> str:
    """Where a file of the repository lies on the site."""
    if path == "README.md":
        return "index.md"
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    return COPIES + re.sub(r"\.ipynb$", ".md", path)


def _source_of(page: str) -> str:
    """Where a page's text comes from in the repository."""
    if page == "index.md":
        return "README.md"
    if not page.startswith(COPIES):
        return DOCS + page
    path = page.removeprefix(COPIES)
    notebook = re.sub(r"\.md$", ".ipynb", path)
    return path if (ROOT / path).exists() else notebook


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
