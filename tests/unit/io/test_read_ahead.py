import gc
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


def gone(threads):
    """Wait until there are only so many threads; tell whether there are."""
    for _ in range(3_000):
        if threading.active_count() <= threads:
            return True
        time.sleep(0.01)
    return False


def test_nothing_runs_on_after_an_early_end():
    threads, made = threading.active_count(), []
    coming = one_ahead(made.append(item) or item for item in range(1000))
    assert next(coming) == 0
    coming.close()
    assert gone(threads)
    assert len(made) <= 2


class Held:
    """Items of which the second is made when it is told to go on, and not before it has begun."""

    def __init__(self):
        self.begun, self.go_on, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __iter__(self):
        try:
            yield 0
            self.begun.set()
            assert self.go_on.wait(30)
            yield 1
        finally:
            self.ended.set()


def of_items(held):
    return one_ahead(iter(held))


def of_jobs(held):
    def second():
        held.begun.set()
        assert held.go_on.wait(30)
        held.ended.set()

    return made_ahead(iter([lambda: 0, second]))


AHEAD = pytest.mark.parametrize("ahead", [of_items, of_jobs])


@AHEAD
def test_who_stops_early_does_not_wait_for_what_is_being_made(ahead):
    held, threads = Held(), threading.active_count()
    coming = ahead(held)
    assert next(coming) == 0
    assert held.begun.wait(30)
    coming.close()
    assert not held.ended.is_set()
    held.go_on.set()
    assert held.ended.wait(30)
    assert gone(threads)


@AHEAD
def test_an_error_of_the_one_who_uses_them_does_not_wait_either(ahead):
    held, threads = Held(), threading.active_count()

    def use():
        for _ in ahead(held):
            assert held.begun.wait(30)
            raise ValueError("no use")

    with pytest.raises(ValueError, match="no use"):
        use()
    held.go_on.set()
    assert gone(threads)


@AHEAD
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="sends a signal as POSIX has it")
def test_ctrl_c_is_heard_while_an_item_is_waited_for(ahead):
    held, threads = Held(), threading.active_count()
    coming = ahead(held)
    assert next(coming) == 0

    def interrupt():
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it may come as soon as the thread runs
        interrupting.start()
        next(coming)
    assert not held.go_on.is_set()
    held.go_on.set()
    interrupting.join()
    assert gone(threads)


def dropped(coming):
    """Make garbage of an iterator that only a collection finds."""
    cycle = [coming]
    cycle.append(cycle)


@pytest.fixture
def _collected_by_hand():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_collected_by_hand")
def test_garbage_may_be_collected_by_a_thread_that_the_item_waits_for():
    """It hung for ever: the finaliser waited for the item, whose thread waited for the one that collects."""
    begun, done = threading.Event(), threading.Event()

    def items():
        yield 0
        assert begun.wait(30)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(gc.collect).result()
        done.set()
        yield 1

    coming = one_ahead(items())
    assert next(coming) == 0
    dropped(coming)
    del coming
    begun.set()
    assert done.wait(10)


@pytest.mark.usefixtures("_collected_by_hand")
@AHEAD
def test_garbage_may_be_collected_by_a_thread_that_holds_what_the_item_needs(ahead):
    held, threads = Held(), threading.active_count()
    coming = ahead(held)
    assert next(coming) == 0
    assert held.begun.wait(30)
    dropped(coming)
    del coming
    collected = threading.Thread(target=gc.collect, daemon=True)
    collected.start()
    collected.join(10)
    assert not collected.is_alive()
    held.go_on.set()
    assert gone(threads)


@AHEAD
def test_a_process_ends_while_an_iterator_is_open(tmp_path, ahead):
    script = tmp_path / "open.py"
    of = "one_ahead(made() for _ in range(9))" if ahead is of_items else "made_ahead(made for _ in range(9))"
    script.write_text(
        "import time\nfrom dupdetect.io.read_ahead import made_ahead, one_ahead\n"
        f"def made():\n    time.sleep(0.2)\ncoming = {of}\nnext(coming)\nprint('ends')\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("ends\n", "")


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
