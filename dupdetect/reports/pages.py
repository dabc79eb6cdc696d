"""Pages from the templates in ``page/``.

Input    the name of a template, and the values that it shows
Output   one HTML or SVG file that loads nothing
Cost     some 50 ms for the templates, once; then that of what is shown

Text of a corpus may have been written to deceive. The templates escape every value (`autoescape`), the script makes
text of data and never markup, and the page's own policy lets nothing run or load but its one script and one style,
named by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dupdetect._storage.atomic import check_writable, reported
from dupdetect.errors import OutputError
from dupdetect.text.escape import escape_for_page

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "page"

#: What pages and pictures begin with.
_BEGINNINGS = (b"<!doctype html", b"<svg")


def check_page(path: str | os.PathLike[str]) -> None:
    """Refuse a page that cannot be written, before what it shows is worked out.

    Raises
    ------
    OutputError
        What pages need is not installed; or the file cannot be made, or is there and is no page, and would go.
    """
    if find_spec("jinja2") is None:
        raise OutputError(
            f"{os.fspath(path)}: pages need jinja2, which is not installed: python -m pip install 'dupdetect[report]'"
        )
    check_writable(path)
    if not os.path.isfile(path) or not os.path.getsize(path):  # noqa: PTH113, PTH202 - take any name
        return
    with reported(path), Path(path).open("rb") as file:
        beginning = file.read(64).lstrip().lower()
    if not beginning.startswith(_BEGINNINGS):
        raise OutputError(f"{os.fspath(path)}: this file is there and is no page; name another file")


def render(template: str, *, style: str = "", script: str = "", **values: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        A file of ``page/``.
    style, script : str, optional
        Files of ``page/``: rules besides those of ``base.css``, and what runs in the page.
    **values
        What the template shows.
    """
    from markupsafe import Markup

    environment = _environment()
    rules, code = _source("base.css") + _source(style), _source(script)
    return environment.get_template(template).render(
        style=Markup(rules), script=Markup(code), style_hash=_hash(rules), script_hash=_hash(code), **values
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    # Escapes what could end a script or begin markup; other characters stay as they are, for they are a third as long.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
    environment.filters |= {
        "number": lambda value: f"{value:,}" if isinstance(value, int) else str(value),
        "share": lambda part, whole: f"{100 * part / whole:.1f}\u00a0%" if whole else "–",
        "shown": lambda value: escape_for_page(str(value)),
        "combine": lambda first, second: {**first, **second},
    }
    return environment


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8") if name else ""


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
