import sys
import threading
from types import SimpleNamespace

import pytest

from dupdetect._compiled import dispatch, kernels
from dupdetect._compiled.dispatch import Compilable, on_threads


@pytest.fixture
def on_disk(monkeypatch):
    monkeypatch.setattr(Compilable, "is_on_disk", lambda _: True)


def double(number: int) -> int:
    """Double it."""
    return 2 * number


def test_a_loop_is_called_as_it_reads():
    loop = Compilable(double)
    assert loop(21) == 42
    assert loop.__doc__ == "Double it."
    assert "compiled" not in loop.__dict__


@pytest.mark.parametrize(("loaded", "break_even"), [((), "BREAK_EVEN"), (("numba",), "BREAK_EVEN_LOADED")])
def test_little_work_is_interpreted_and_much_is_compiled(monkeypatch, on_disk, loaded, break_even):
    monkeypatch.setattr(dispatch, "sys", SimpleNamespace(modules=loaded))
    loop, steps = Compilable(double), getattr(dispatch, break_even)
    assert loop.faster_for(steps) is double
    assert loop.faster_for(steps + 1) is loop.compiled is not double
    assert loop.compiled(21) == 42


def test_what_is_compiled_is_used_for_little_work_too(on_disk):
    loop = Compilable(double)
    assert loop.faster_for(1) is double
    assert loop.faster_for(10**12) is loop.compiled is not double
    assert loop.faster_for(1) is loop.compiled


def test_without_a_compiler_all_work_is_interpreted(monkeypatch):
    monkeypatch.setattr(kernels, "available", lambda: False)
    assert Compilable(double).faster_for(10**12) is double


def test_where_no_cache_can_be_written_loops_are_compiled_without(monkeypatch):
    import numba

    compile = numba.njit

    def without_cache(**options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return compile(**options)

    monkeypatch.setattr(numba, "njit", without_cache)
    assert Compilable(double).compiled(21) == 42


def test_threads_return_results_in_the_order_of_the_items():
    for workers in (0, 1, 2, 7):
        assert on_threads(double, range(20), workers) == [2 * n for n in range(20)]
        assert on_threads(double, (), workers) == []


def test_one_worker_or_one_item_needs_no_thread():
    here = threading.get_ident()
    assert set(on_threads(lambda _: threading.get_ident(), range(5), 1)) == {here}
    assert on_threads(lambda _: threading.get_ident(), [0], 5) == [here]
    assert here not in on_threads(lambda _: threading.get_ident(), range(5), 2)


def test_an_error_on_a_thread_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda n: 1 // n, [1, 0, 2], 2)


def test_loops_are_loaded_without_the_compiler():
    import subprocess

    modules = "dupdetect.matching.candidates, dupdetect.matching.verify, dupdetect.clustering.clusters"
    code = f"import sys, {modules}; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
