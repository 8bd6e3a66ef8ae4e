"""Pages of Markdown as tests see them: blocks of code, commands, links, headings."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        kind: the language that it names: `python`, `bash`, `text`, ...
        text: its content.
        prints: of a block of Python, what the page says that it prints: the content of the block of
            text that comes right after it; None where there is none.
        line: where it begins.
    """

    kind: str
    text: str
    prints: str | None
    line: int


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(text))
    told = []
    for match, after in zip(found, [*found[1:], None]):
        follows = after is not None and not text[match.end() : after.start()].strip()
        prints = after[2] if after is not None and follows and after[1] == "text" else None
        line = text.count("\n", 0, match.start()) + 1
        told.append(Block(match[1], match[2], prints if match[1] == "python" else None, line))
    return told


def commands(block: Block) -> list[list[str]]:
    """The commands of a block of bash, as words; a script of its own (`#!`) has none here."""
    if block.text.startswith("#!"):
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def run(block: Block, known: dict, page: Path) -> None:
    """Runs a block of Python with the names known so far, and holds what it prints against what the
    page says; `...` there stands for anything.
    """
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, known)
    if block.prints is not None:
        pattern = re.escape(block.prints.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, printed.getvalue().strip(), re.DOTALL), printed.getvalue()


def prose(page: Path) -> str:
    """A page without its blocks and its code."""
    return re.sub(r"`[^`\n]+`", "code", _FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> Iterator[tuple[str, str]]:
    """(path, anchor) of every link that leads to no other host."""
    for address in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", address):
            path, _, anchor = address.partition("#")
            yield path, anchor


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may say."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    kept = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", heading) for heading in kept}
