"""What the site needs beside the pages of docs/: two pages of the root, and links to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
# A name in bold with a comma, and another one in brackets where its type should be.
_TAGS = r"(?:<[^>]+>)*"
_PAIR = re.compile(rf"<code>{_TAGS}(\w+),{_TAGS}</code></b>\s*\(<code>{_TAGS}(\w+){_TAGS}</code>\)")
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_files(files: Files, config: Any) -> Files:
    """The pages of docs/ with those of the root."""
    for name, place in PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Text whose links between docs/ and the root lead to pages, and to others as plain words."""
    if page.file.src_uri in PAGES.values():
        markdown = re.sub(r"\]\(docs/", "](", markdown)
    for name, place in PAGES.items():
        markdown = re.sub(rf"\]\((\.\./)?{re.escape(name)}\)", f"]({place})", markdown)
    return re.sub(r"\[([^\]]*)\]\((?:\.\./|examples)[^)]*\)", r"\1", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Pages without the roles that docstrings put before names; ``dx, dy:`` are two names."""
    html = _PAIR.sub(r"<code>\1, \2</code></b>", html)
    return re.sub(r":(?:attr|class|data|func|meth|mod):(?=<code>)", "", html)
