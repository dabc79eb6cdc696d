import os

import pytest

from dupdetect._storage.arrays import Storage
from dupdetect._storage.context import Context, available_workers, check_workers
from dupdetect.errors import SettingsError
from dupdetect.settings import Settings


def test_available_workers_are_those_this_process_may_use(monkeypatch):
    assert 1 <= available_workers() <= os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_workers() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_workers() == 1


def test_a_context_works_by_default_in_memory_on_all_processors():
    context = Context()
    assert (context.settings, context.workers) == (Settings(), available_workers())
    assert context.storage.array_bytes is None
    assert isinstance(context.storage, Storage)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", True])
def test_workers_are_a_whole_number_from_one_on(workers):
    with pytest.raises(SettingsError, match=r"workers is .*; expected a whole number from 1 on"):
        Context(workers=workers)
    with pytest.raises(SettingsError, match="workers is"):
        check_workers(workers)


def test_no_workers_named_is_all_processors():
    assert check_workers(None) == available_workers()
    assert check_workers(3) == 3
