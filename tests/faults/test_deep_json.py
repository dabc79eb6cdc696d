"""JSON that is nested deeper than any file of tables can hold: a reject, before a parser calls itself to death."""

import subprocess
import sys
import time

import pytest

import dupdetect
from dupdetect.io.documents import collect
from dupdetect.io.jsonlines import DEEPEST, _depth

DEPTHS = [DEEPEST + 2, 400, 1_000, 5_000, 10_000, 100_000]
REASON = f"the line is JSON nested more than {DEEPEST} deep"


def arrays(depth):
    return '{"text": "deep", "a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def objects(depth):
    return '{"text": "deep", "a": ' + '{"a": ' * (depth - 1) + "1" + "}" * depth


def mixed(depth):
    return '{"text": "deep", "a": ' + '[{"a":' * ((depth - 1) // 2) + "1" + "}]" * ((depth - 1) // 2) + "}"


def of_lines(depth):
    return '{"text": "deep", "a":\n' + "[\n" * (depth - 1) + "]\n" * (depth - 1) + "}"


def unclosed(depth):
    return '{"text": "deep", "a": ' + "[" * depth + "}"


def in_a_text(depth):
    return '{"text": "' + "[{" * depth + '"}'


def run(code, *arguments):
    """Run in a process of its own, for the fault would end this one."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("make", [arrays, objects, mixed, of_lines, unclosed])
def test_a_deep_line_is_a_reject_and_the_others_are_read(tmp_path, make):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"text": "a good line"}}\n{make(depth)}\n' for depth in DEPTHS))
    ran = run(
        "import sys; from pathlib import Path; from dupdetect.io.documents import collect\n"
        "found = collect(Path(sys.argv[1]))\n"
        "print(len(found), found.rejects.num_rows, '|'.join(sorted(set(found.rejects['reason'].to_pylist()))))",
        path,
    )
    assert ran.returncode == 0, ran.stderr[-500:]
    count, rejects, reasons = ran.stdout.split(" ", 2)
    assert int(count) == len(DEPTHS)
    if make is of_lines:
        assert int(rejects) == sum(2 * depth for depth in DEPTHS)
    else:
        assert int(rejects) == len(DEPTHS)
        assert reasons.strip() == REASON


def test_the_deepest_that_is_read_can_be_written_and_worked_on_from_files(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(make(DEEPEST) + "\n" for make in (arrays, objects, mixed)))
    result = dupdetect.dedup(path, work=tmp_path / "work", resume=True)
    assert result.rejects.num_rows == 0
    result.write(tmp_path / "out")
    result.close()


def test_brackets_in_strings_are_no_nesting(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(in_a_text(1000) + "\n" + '{"text": "\\"' + "[" * 99 + '\\\\"}\n')
    found = collect(path)
    assert len(found) == 2
    assert found.rejects.num_rows == 0


@pytest.mark.parametrize("make", [arrays, objects])
def test_a_truth_with_a_deep_line_is_one_sentence(tmp_path, make):
    (tmp_path / "docs.jsonl").write_text('{"id": 1, "text": "a text"}\n{"id": 2, "text": "a text"}\n')
    dupdetect.dedup(tmp_path / "docs.jsonl").write(tmp_path / "out")
    truth = tmp_path / "truth.jsonl"
    truth.write_text('{"id": 1, "cluster": 1}\n' + make(10_000).replace('"text"', '"id"') + "\n")
    code = "import sys; from dupdetect.cli.main import main; sys.exit(main(sys.argv[1:]))"
    ran = run(code, "evaluate", tmp_path / "out", "--truth", truth)
    assert ran.returncode == 1, ran.stderr[-500:]
    assert "nested more than" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("line", [b'"' + b'\\"' * 200_000, b"[" * 400_000, b'"["' * 100_000, b'"\\' * 100_000])
def test_looking_takes_time_that_is_linear_in_the_line(line):
    start = time.process_time()
    _depth(line)
    assert time.process_time() - start < 2  # quadratic: minutes
