import threading

import pytest

from dupdetect.io.read_ahead import made_ahead, one_ahead


def test_items_come_in_order_and_from_another_thread():
    here = threading.get_ident()
    made = []

    def items():
        for item in range(5):
            made.append(threading.get_ident())
            yield item

    assert list(one_ahead(items())) == [0, 1, 2, 3, 4]
    assert here not in made
    assert list(one_ahead(iter([]))) == []


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), StopAsyncIteration()])
def test_what_is_raised_comes_in_its_place(error):
    def items():
        yield 1
        raise error

    coming = one_ahead(items())
    assert next(coming) == 1
    with pytest.raises(type(error)):
        next(coming)


def test_nothing_runs_on_after_an_early_end():
    threads = threading.active_count()
    coming = one_ahead(iter(range(1000)))
    assert next(coming) == 0
    coming.close()
    assert threading.active_count() == threads


def test_who_need_not_wait_is_let_go_while_an_item_is_made():
    begun, go_on, made = threading.Event(), threading.Event(), threading.Event()

    def items():
        yield 0
        begun.set()
        go_on.wait(3)
        made.set()
        yield 1

    coming = one_ahead(items(), wait=False)
    assert next(coming) == 0
    assert begun.wait(30)
    coming.close()
    assert not made.is_set()
    go_on.set()


def test_no_more_than_one_is_made_ahead():
    made = []

    def items():
        for item in range(100):
            made.append(item)
            yield item

    coming = one_ahead(items())
    for used in range(1, 10):
        next(coming)
        assert len(made) <= used + 1
    coming.close()


def test_jobs_are_done_on_a_thread_and_asked_for_on_the_callers():
    asked = []

    def jobs():
        for number in range(4):
            asked.append(threading.current_thread())
            yield lambda number=number: (number, threading.current_thread())
        raise ValueError("no more")

    coming = made_ahead(jobs())
    found = [next(coming) for _ in range(4)]
    assert [number for number, _ in found] == [0, 1, 2, 3]
    assert set(asked) == {threading.current_thread()}
    assert threading.current_thread() not in {thread for _, thread in found}
    with pytest.raises(ValueError, match="no more"):
        next(coming)
    assert list(made_ahead(iter([]))) == []
