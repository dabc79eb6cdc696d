"""Reports in a real browser: what a reader does works, nothing is said on the console, and no text of a corpus runs."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hostile import write_run

import dupdetect
from dupdetect.reports import texts as excerpts
from dupdetect.reports.html import report

#: What a browser may be called; DUPDETECT_BROWSER names another.
NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")

SCREENS = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}

Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def open_page() -> Iterator[Open]:
    """Give a function that opens a file, and fails if that says, asks for or shows anything it should not."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("DUPDETECT_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed (apt-get install chromium-headless-shell)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opener(browser)
        browser.close()


def opener(browser: Any) -> Open:
    @contextmanager
    def opened(file: Path, screen: str = "laptop", scheme: str = "light", at: str = "") -> Iterator[Any]:
        width, height = SCREENS[screen]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        page, seen = context.new_page(), []
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(file.as_uri()) or seen.append(request.url))
        page.goto(file.as_uri() + at)
        try:
            yield page
        finally:
            context.close()
        assert seen == []

    return opened


@pytest.fixture(scope="module")
def newsroom(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the report of a run over the fixtures."""
    folder = tmp_path_factory.mktemp("newsroom")
    dupdetect.dedup(root / "fixtures" / "newsroom").write(folder / "out")
    return report(folder / "out")


def fits(page: Any) -> bool:
    """Say whether a page is no wider than its screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_search_finds_ids_and_texts_and_says_how_many(open_page: Open, newsroom: Path) -> None:
    with open_page(newsroom) as page:
        page.get_by_role("searchbox", name="Search ids and how texts begin").fill("EN/Article")
        found = page.get_by_role("status").filter(has_text="listed documents found")
        found.wait_for()
        assert found.inner_text() == "2 of 77 listed documents found."
        assert page.locator("#list tbody tr").count() == 2
        page.fill("#query", "気象観測")
        page.get_by_text("1 of 77 listed documents found.").wait_for()
        page.fill("#query", "of this there is nothing")
        page.get_by_text("0 of 77 listed documents found.").wait_for()
        assert page.locator("#list").inner_text() == "None."
        page.get_by_role("radio", name="the most doubtful clusters").check()
        assert page.locator("#query").input_value() == ""
        margins = [float(text) for text in page.locator("#list .badge").all_inner_texts()]
        assert len(margins) == 14
        assert margins == sorted(margins)


def test_a_cluster_shows_its_texts_side_by_side(open_page: Open, newsroom: Path) -> None:
    with open_page(newsroom) as page:
        page.fill("#query", "en/family_1.txt")
        page.get_by_text("1 of 77 listed documents found.").wait_for()
        page.locator("#list").get_by_role("link", name="en/family_1.txt").click()
        title = page.get_by_role("heading", name="Cluster of en/family_1.txt")
        title.wait_for()
        assert page.evaluate("document.activeElement.id") == "view-title"
        assert page.locator("#members tbody tr").count() == 2
        first = page.locator("#pair article").nth(1).inner_text()
        page.get_by_role("button", name="Compare en/family_3.txt").click()
        assert page.locator("#pair article").nth(1).inner_text() != first
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
        assert page.locator("#pair mark.changed").count() >= 2
        page.get_by_role("button", name="Next passage").press("Enter")
        page.get_by_role("status").filter(has_text="passage 1 of").wait_for()
        assert page.locator("#pair .text >> nth=0 >> mark.here").count() >= 1
        assert page.locator("#pair .text >> nth=1 >> mark.here").count() >= 1
        address = page.url
    with open_page(newsroom, at=address[address.index("#") :]) as page:
        page.get_by_role("heading", name="Cluster of en/family_1.txt").wait_for()


def test_a_report_is_reached_by_keyboard_alone(open_page: Open, newsroom: Path) -> None:
    with open_page(newsroom) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        page.wait_for_function("location.hash === '#main'")
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")  # what follows from that
        page.locator("#query").focus()
        page.keyboard.type("th/article_page")
        page.get_by_text("1 of 77 listed documents found.").wait_for()
        for _ in range(3):  # past the choice of order, to the result
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.tagName") == "A":
                break
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Cluster of th/article.txt").wait_for()
        unnamed = "[...document.querySelectorAll('input, button, section, nav, [role=region]')].filter(e => "
        unnamed += "!(e.labels?.length || e.textContent.trim() || e.ariaLabel || e.getAttribute('aria-labelledby')))"
        assert page.evaluate(f"{unnamed}.map(e => e.outerHTML)") == []
        assert (
            page.evaluate("document.querySelectorAll('main, header, nav').length")
            == 3 + page.locator("article header").count()
        )
        assert page.evaluate(
            "[...document.querySelectorAll('table')].every(t => t.querySelector('thead th[scope=col]'))"
        )


@pytest.mark.parametrize("screen", SCREENS)
def test_a_report_fits_every_screen_by_day_and_by_night(
    open_page: Open, newsroom: Path, tmp_path: Path, screen: str
) -> None:
    paper = set()
    for scheme in ("light", "dark"):
        with open_page(newsroom, screen, scheme) as page:
            page.locator("#list a").first.click()
            assert fits(page)
            page.screenshot(path=tmp_path / f"{screen}-{scheme}.png")
            paper.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            side = page.evaluate("[...document.querySelectorAll('.text')].map(e => e.getBoundingClientRect().top)")
            assert (len(set(side)) == 1) == (screen != "phone")
    assert len(paper) == 2


@pytest.mark.slow
def test_a_report_of_real_pages(open_page: Open, shared: Path, tmp_path: Path) -> None:
    pages = shared / "corpora" / "pages"
    with (pages / "articles.csv").open(encoding="utf-8", newline="") as rows:
        articles = {row["id"]: row["article"] for row in csv.DictReader(rows)}
    wanted = set(sorted(set(articles.values()))[:60])
    with gzip.open(pages / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        chosen = [line for line in lines if articles[json.loads(line)["id"]] in wanted]
    (tmp_path / "docs.jsonl").write_text("".join(chosen), encoding="utf-8")
    dupdetect.dedup(tmp_path / "docs.jsonl").write(tmp_path / "out")
    file = report(tmp_path / "out", by="id")
    with open_page(file) as page:
        table = page.locator("#list")
        first = table.locator("a").first.inner_text()
        table.get_by_role("button", name="Next").click()
        assert page.evaluate("document.activeElement.textContent") == "Next"
        assert table.locator("a").first.inner_text() != first
        table.get_by_role("button", name="Previous").click()
        assert table.locator("a").first.inner_text() == first
        assert table.get_by_role("button", name="Previous").is_disabled()
        table.locator("a").first.click()
        page.locator("#pair mark").first.wait_for()
        assert fits(page)


def test_nothing_of_a_thousand_hostile_texts_runs_or_breaks_the_page(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excerpts.pairs, "__defaults__", (500,))
    file = report(write_run(tmp_path / "run" / "<b>out", 500))
    with open_page(file) as page:
        found = page.evaluate(
            """async () => {
              const tags = () => [...new Set([...document.querySelectorAll("*")].map((e) => e.localName))].join();
              const before = tags(), shown = new Set(), strange = [];
              for (let place = 1; place < 1000; place += 2) {  // each beside what represents it
                location.hash = `#document-${place}`;
                await new Promise((done) => addEventListener("hashchange", done, { once: true }));
                for (const text of document.querySelectorAll("#pair .body")) {
                  shown.add(text.getAttribute("aria-label"));
                  for (const e of text.querySelectorAll(":not(mark, span)")) strange.push(e.outerHTML);
                }
              }
              const handlers = [...document.querySelectorAll("*")].filter((e) =>
                [...e.attributes].some((a) => /^on|^style$|^src/.test(a.name) || /^\\s*javascript:/i.test(a.value)));
              return { shown: shown.size, strange, hit: window.hit ?? null, handlers: handlers.map((e) => e.outerHTML),
                sections: document.querySelectorAll("main > section").length, added: tags().replace(before, "") };
            }"""
        )
        assert found["shown"] == 1_000
        assert found["hit"] is None
        assert (found["strange"], found["handlers"]) == ([], [])
        assert found["sections"] == 7
        assert fits(page)
        page.fill("#query", "<script>window.hit")
        page.get_by_text("listed documents found.").wait_for()
        assert page.evaluate("window.hit ?? null") is None
        assert page.title().startswith("<b>out")


def test_the_middle_of_a_long_text_is_unfolded(open_page: Open, tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(1_000))
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": each}) + "\n" for each in (text, f"{text} at last")))
    dupdetect.dedup(tmp_path / "in.jsonl").write(tmp_path / "out")
    with open_page(report(tmp_path / "out"), "phone", at="#document-0") as page:
        buttons = page.locator("#pair").get_by_role("button", name="more characters: show")
        assert buttons.count() >= 1
        assert "more characters: show" in buttons.first.inner_text()
        assert "word500 " not in page.locator(".body").first.inner_text()
        buttons.first.press("Enter")
        assert "word500 " in page.locator(".body").first.inner_text()
        buttons.first.click()
        assert "word500 " in page.locator(".body").nth(1).inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the report of a cluster of 2,500 texts, and of two of long ones."""
    folder = tmp_path_factory.mktemp("large")
    story = "Смотритель маяка записывает каждый корабль и каждый, который не отвечает его лампе, ведь так велит устав."
    rows = [{"id": f"copy-{n:04}", "text": story} for n in range(2_500)]
    for name, count in (("long", 4_000), ("endless", 40_000)):
        text = " ".join(f"{name}{n}" for n in range(count))
        rows += [{"id": f"{name}-a", "text": text}, {"id": f"{name}-b", "text": f"{text} und noch etwas am Ende."}]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    dupdetect.dedup(folder / "in.jsonl").write(folder / "out")
    return report(folder / "out")


def test_every_copy_of_a_large_cluster_is_reached(open_page: Open, large: Path) -> None:
    with open_page(large) as page:
        page.get_by_role("link", name="copy-0000").click()
        members = page.locator("#members")
        assert "are not listed" not in members.inner_text()
        members.get_by_role("button", name="Last").click()
        members.get_by_role("link", name="copy-2499").wait_for()
        assert "of 2,499" in members.inner_text()
        assert members.get_by_role("button", name="Next").is_disabled()
        members.get_by_role("searchbox", name="Search the ids in this cluster").fill("COPY-1234")
        members.get_by_role("link", name="copy-0001").wait_for(state="detached")
        assert members.locator("tbody tr").count() == 1
        members.get_by_role("link", name="copy-1234").click()
        page.get_by_text("This page has no room for the text of this copy").wait_for()
        assert members.locator("tr.chosen").inner_text().startswith("copy-1234")
        page.get_by_role("link", name="Back to the list").last.click()
        assert page.evaluate("document.activeElement.textContent") == "copy-0000"
        assert page.evaluate("location.hash") == "#clusters"


def test_a_copy_on_a_later_page_stays_in_sight_when_it_is_compared(open_page: Open, large: Path) -> None:
    with open_page(large) as page:
        page.get_by_role("link", name="copy-0000").click()
        members = page.locator("#members")
        members.get_by_role("button", name="Next").click()
        chosen = members.locator("tbody tr").nth(3)
        name = chosen.locator("a").inner_text()
        chosen.get_by_role("button").click()
        assert members.locator("tr.chosen a").inner_text() == name
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_texts_of_any_length_open(open_page: Open, large: Path) -> None:
    with open_page(large, "phone") as page:
        for name, last in (("long", "long3999"), ("endless", "endless39999")):
            page.fill("#query", f"{name}-")
            page.get_by_text("2 of").wait_for()
            page.locator("#list").get_by_role("link", name=f"{name}-a").first.click()
            folds = page.locator("#pair").get_by_role("button", name=": show")
            whole = page.locator("#pair .body").filter(has_text=f"{name}2000 ").filter(has_text=last)
            until = time.monotonic() + 120
            while (folds.count() or whole.count() < 2) and time.monotonic() < until:
                if folds.count():
                    folds.first.click()
                page.wait_for_timeout(20)  # the next fold is there once the text before it is
            assert whole.count() == 2
            assert "no room" not in page.locator("#pair").inner_text()
        assert fits(page)
