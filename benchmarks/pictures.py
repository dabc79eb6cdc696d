"""The pictures of the documentation: a report in a browser, and a comparison in a terminal, both of the fixtures.

    python benchmarks/pictures.py                 into docs/pictures/

Needs `dupdetect[test]` and a browser: chromium or chromium-headless-shell, as Debian has them.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEWSROOM = ROOT / "fixtures" / "newsroom"

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
SIZE = {"width": 1280, "height": 860}

#: Columns and lines of the terminal.
COLUMNS, LINES = 118, 44


def dupdetect(*arguments: str, cwd: Path = ROOT, **environment: str) -> str:
    """Run the command in a folder and return what it printed."""
    command = [sys.executable, "-m", "dupdetect", *arguments]
    path = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8", cwd=cwd, env=path)
    return done.stdout


def picture_report(folder: Path) -> None:
    """Show a cluster in the report: the article beside its page."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("DUPDETECT_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        out = Path(work) / "newsroom"
        dupdetect("dedup", str(NEWSROOM.relative_to(ROOT)), "-o", str(out), "--quiet")
        dupdetect("report", str(out))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce").new_page()
        page.goto((out / "report.html").as_uri())
        page.screenshot(path=folder / "report.png")
        page.fill("#query", "en/article.txt")
        page.get_by_text("listed documents found").wait_for()
        page.locator("#list a").first.click()
        page.get_by_role("button", name="Next passage").click()
        page.screenshot(path=folder / "report-cluster.png")
        browser.close()


def picture_comparison(folder: Path) -> None:
    """Show two copies of a story in the terminal, a few words changed."""
    from rich.console import Console
    from rich.text import Text

    arguments = ("compare", "family_1.txt", "family_2.txt")
    colours = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    printed = dupdetect(*arguments, "--view", "side", cwd=NEWSROOM / "en", **colours)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(f"$ dupdetect {' '.join(arguments)}", style="bold", highlight=False)
    for line in printed.splitlines()[:LINES]:
        console.print(Text.from_ansi(line))
    picture = console.export_svg(title="dupdetect compare")
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # rich names fonts of the network
    (folder / "compare.svg").write_text(picture, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "pictures")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    picture_report(folder)
    picture_comparison(folder)
    for file in sorted(folder.iterdir()):
        print(f"{file}: {file.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
