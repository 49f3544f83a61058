"""Working ahead in another thread."""

import threading

import pytest

from howard.pipeline.ahead import work_ahead


def test_items_come_in_order_from_another_thread():
    threads = set()

    def make():
        for number in range(50):
            threads.add(threading.current_thread())
            yield number

    assert list(work_ahead(make, 3)) == list(range(50))
    assert threads.isdisjoint({threading.current_thread()})


def test_no_more_than_asked_for_wait():
    made = []
    is_full = threading.Event()

    def make():
        for number in range(10):
            made.append(number)
            if number == 3:
                is_full.set()
            yield number

    items = work_ahead(make, 2)
    assert next(items) == 0
    # Two wait, and a fourth stands before the full queue.
    assert is_full.wait(10)
    assert made == [0, 1, 2, 3]
    items.close()


def test_an_error_comes_after_the_items_before_it():
    def make():
        yield 1
        raise RuntimeError("broken")

    items = work_ahead(make, 5)
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

    items = work_ahead(make, 1)
    next(items)
    items.close()
    assert closed.is_set()
    assert not any(thread.name == "ahead" for thread in threading.enumerate())


def test_nothing_to_make():
    assert list(work_ahead(lambda: (number for number in ()), 1)) == []
