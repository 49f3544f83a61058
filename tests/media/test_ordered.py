"""Work side by side that lands in order."""

import random
import threading
import time

import pytest

from howard.media import OrderedWork


def test_items_that_finish_out_of_order_land_in_order():
    rng = random.Random(0)
    delays = {number: rng.uniform(0, 0.01) for number in range(20)}

    def prepare(number):
        time.sleep(delays[number])
        return -number

    landed = []
    with OrderedWork(range(20), prepare, lambda number, made: landed.append((number, made)), workers=4) as work:
        for number in range(20):
            work.put(number, number)
    assert landed == [(number, -number) for number in range(20)]


def test_items_that_come_out_of_order_land_in_order():
    with OrderedWork([3, 4, 5, 6], lambda item: item, lambda number, item: item, waiting=3) as work:
        for number in (4, 3, 6, 5):
            work.put(number, str(number))
    assert work.landed() == ["3", "4", "5", "6"]


def test_several_threads_may_put_and_the_next_never_waits():
    numbers = range(40)
    shares = [numbers[start::4] for start in range(4)]

    with OrderedWork(numbers, lambda item: item, lambda number, item: item, waiting=1) as work:

        def put(share):
            for number in share:
                work.put(number, number)

        threads = [threading.Thread(target=put, args=(share,)) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert not any(thread.is_alive() for thread in threads)
    assert work.landed() == list(numbers)


def test_no_more_is_held_than_may_wait():
    held, most = set(), []
    gate = threading.Semaphore(0)

    def land(number, item):
        gate.acquire(timeout=20)
        held.discard(number)

    def put_all(work):
        for number in range(10):
            held.add(number)
            work.put(number, number)
            most.append(len(held))

    with OrderedWork(range(10), lambda item: item, land, waiting=3) as work:
        thread = threading.Thread(target=put_all, args=(work,))
        thread.start()
        for _ in range(10):
            gate.release()
            time.sleep(0.005)
        thread.join(timeout=20)
    assert max(most) <= 3
    assert not held


@pytest.mark.parametrize("stage", ["prepare", "land"])
def test_an_error_stops_the_work_with_its_message(stage):
    def fail(wanted, number):
        if wanted == stage and number == 3:
            raise OSError(28, "No space left on device")
        return number

    work = OrderedWork(range(100), lambda n: fail("prepare", n), lambda n, made: fail("land", n), waiting=2)
    put = []

    def put_all():
        with work:
            for number in range(100):
                work.put(number, number)
                put.append(number)

    with pytest.raises(OSError, match="No space left"):
        put_all()
    assert len(put) < 10
    assert work.landed() == [0, 1, 2]


def test_an_error_at_the_very_end_is_raised_too():
    def fail(number, item):
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"), OrderedWork([1], lambda item: item, fail) as work:
        work.put(1, None)


def test_what_came_before_an_interruption_still_lands():
    work = OrderedWork(range(9), lambda item: item, lambda number, item: item)

    def put_and_stop():
        with work:
            work.put(0, "a")
            work.put(1, "b")
            work.put(5, "never next")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put_and_stop()
    assert work.landed() == ["a", "b"]
