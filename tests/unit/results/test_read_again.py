"""What looks at the input of a run once more reads it as the run did: with its bounds, rows are the same documents."""

import json

import pytest

import dupdetect
from dupdetect.reports.explain import texts_of
from dupdetect.results.read_again import as_read
from dupdetect.results.run import Run

STORY = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
ROWS = [
    {"id": "a", "text": "long " * 100},
    {"id": "a", "text": STORY},
    {"id": "b", "text": STORY.upper()},
    {"id": "c", "text": "Nothing like it at all is told in this one."},
]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def out(source, tmp_path):
    with pytest.warns(UserWarning, match="more than 300 bytes"):
        dupdetect.dedup(source, max_text=300).write(tmp_path / "out")
    return tmp_path / "out"


def test_of_rows_of_one_id_the_one_is_read_that_the_run_could_use(source, out, tmp_path):
    audited = dupdetect.audit(out, source)
    assert (audited.together.pairs, audited.missed, audited.lost.words) == (2, 0, 0)
    assert texts_of(Run(out), ["a"], source) == [STORY]
    comparison = dupdetect.explain(out, "b", source).comparison
    assert comparison is not None
    assert comparison.jaccard == 1
    assert dupdetect.verify_output(out, source).holds
    assert STORY in dupdetect.report(out, tmp_path / "report.html", source).read_text(encoding="utf-8")


@pytest.mark.parametrize("said", [None, "much", True, 0, 1 << 40])
def test_what_no_manifest_can_say_is_the_default(out, said):
    run = Run(out)
    assert as_read(run)["max_text"] == 300
    run.manifest["max_text"] = said
    assert as_read(run, "body", "url") | {"how": None} == {
        "text": "body", "id": "url", "id_prefix": None, "max_text": 256_000_000, "how": None,
    }  # fmt: skip
