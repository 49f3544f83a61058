"""Threads that work side by side and keep their order."""

import random
import threading
import time

import pytest

from howard.parallel import OrderedSink, ordered_map, prefetch


def test_items_that_finish_out_of_order_are_committed_in_order():
    rng = random.Random(0)
    delays = {number: rng.uniform(0, 0.01) for number in range(20)}

    def prepare(number):
        time.sleep(delays[number])
        return -number

    committed = []
    with OrderedSink(range(20), prepare, lambda number, made: committed.append((number, made)), workers=4) as sink:
        for number in range(20):
            sink.put(number, number)
    assert committed == [(number, -number) for number in range(20)]


def test_items_that_come_out_of_order_are_committed_in_order():
    with OrderedSink([3, 4, 5, 6], lambda item: item, lambda number, item: item, waiting=3) as sink:
        for number in (4, 3, 6, 5):
            sink.put(number, str(number))
    assert sink.committed() == ["3", "4", "5", "6"]


def test_several_threads_may_put_and_the_next_never_waits():
    numbers = range(40)
    shares = [numbers[start::4] for start in range(4)]

    with OrderedSink(numbers, lambda item: item, lambda number, item: item, waiting=1) as sink:

        def put(share):
            for number in share:
                sink.put(number, number)

        threads = [threading.Thread(target=put, args=(share,)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert not any(thread.is_alive() for thread in threads)
    assert sink.committed() == list(numbers)


def test_no_more_is_pending_than_allowed():
    pending, most = set(), []
    gate = threading.Semaphore(0)

    def commit(number, item):
        gate.acquire(timeout=20)
        pending.discard(number)

    def put_all(sink):
        for number in range(10):
            pending.add(number)
            sink.put(number, number)
            most.append(len(pending))

    with OrderedSink(range(10), lambda item: item, commit, waiting=3) as sink:
        thread = threading.Thread(target=put_all, args=(sink,))
        thread.start()
        for _ in range(10):
            gate.release()
            time.sleep(0.005)
        thread.join(timeout=20)
    assert max(most) <= 3
    assert not pending


@pytest.mark.parametrize("stage", ["prepare", "commit"])
def test_an_error_stops_the_work_with_its_message(stage):
    def fail(wanted, number):
        if wanted == stage and number == 3:
            raise OSError(28, "No space left on device")
        return number

    sink = OrderedSink(range(100), lambda n: fail("prepare", n), lambda n, made: fail("commit", n), waiting=2)
    put = []

    def put_all():
        with sink:
            for number in range(100):
                sink.put(number, number)
                put.append(number)

    with pytest.raises(OSError, match="No space left"):
        put_all()
    assert len(put) < 10
    assert sink.committed() == [0, 1, 2]


def test_an_error_at_the_very_end_is_raised_too():
    def fail(number, item):
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"), OrderedSink([1], lambda item: item, fail) as sink:
        sink.put(1, None)


def test_what_came_before_an_interruption_is_still_committed():
    sink = OrderedSink(range(9), lambda item: item, lambda number, item: item)

    def put_and_stop():
        with sink:
            sink.put(0, "a")
            sink.put(1, "b")
            sink.put(5, "never next")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put_and_stop()
    assert sink.committed() == ["a", "b"]


def test_items_come_in_order_from_another_thread():
    threads = set()

    def make():
        for number in range(50):
            threads.add(threading.current_thread())
            yield number

    assert list(prefetch(make, 3)) == list(range(50))
    assert threads.isdisjoint({threading.current_thread()})


def test_no_more_than_asked_for_is_prefetched():
    made = []
    is_full = threading.Event()

    def make():
        for number in range(10):
            made.append(number)
            if number == 3:
                is_full.set()
            yield number

    items = prefetch(make, 2)
    assert next(items) == 0
    # Two wait, and a fourth stands before the full queue.
    assert is_full.wait(10)
    assert made == [0, 1, 2, 3]
    items.close()


def test_an_error_while_prefetching_comes_after_the_items_before_it():
    def make():
        yield 1
        raise RuntimeError("broken")

    items = prefetch(make, 5)
    assert next(items) == 1
    with pytest.raises(RuntimeError, match="broken"):
        next(items)


def test_closing_ends_the_thread_and_closes_what_it_ran():
    closed = threading.Event()

    def make():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = prefetch(make, 1)
    next(items)
    items.close()
    assert closed.is_set()
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())


def test_nothing_to_prefetch():
    assert list(prefetch(lambda: (number for number in ()), 1)) == []


def test_results_of_a_map_come_in_order_and_side_by_side() -> None:
    together = threading.Barrier(3)

    def double(number: int) -> int:
        together.wait(20)
        return 2 * number

    assert list(ordered_map(double, range(9), workers=3)) == [2 * number for number in range(9)]


def test_a_map_takes_no_more_items_than_workers() -> None:
    taken: list[int] = []
    results = ordered_map(lambda number: number, (taken.append(number) or number for number in range(9)), workers=2)
    assert not taken
    assert next(results) == 0
    assert taken == [0, 1]
    results.close()


def test_an_error_of_a_map_comes_in_its_turn() -> None:
    begun: list[int] = []

    def invert(number: int) -> float:
        begun.append(number)
        return 1 / number

    results = ordered_map(invert, [1, 0, 2, 4], workers=1)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert begun == [1, 0]


def test_a_map_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="workers must be at least 1, not 0"):
        next(ordered_map(abs, [], workers=0))
