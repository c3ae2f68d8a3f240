"""A check ends an answer that takes too long, whatever thread it runs in."""

import signal
import threading
import time

import pytest

from mlcourse.exercises import check
from mlcourse.grading.timeout import OutOfTime, time_limit


def loop():
    while True:
        pass


def swallow():
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        try:
            loop()
        except BaseException:
            continue
    return "went on"


def ended_by_limit(function, seconds=0.1):
    try:
        with time_limit(seconds):
            return function()
    except OutOfTime:
        return "ended"


def in_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join(10)
    return results


def test_main_thread_ends_loops_and_waiting_calls():
    start = time.monotonic()
    assert ended_by_limit(loop) == "ended"
    assert ended_by_limit(lambda: time.sleep(20)) == "ended"
    assert time.monotonic() - start < 5


def test_other_threads_end_loops():
    assert in_thread(lambda: ended_by_limit(loop)) == ["ended"]


def test_it_strikes_again():
    assert ended_by_limit(swallow) in ("ended", "went on")
    assert in_thread(lambda: ended_by_limit(swallow))[0] in ("ended", "went on")


def test_a_quick_call_is_left_alone_and_so_is_the_program_after_it():
    before = signal.getsignal(signal.SIGALRM)
    assert ended_by_limit(lambda: 3, seconds=0.3) == 3
    assert in_thread(lambda: ended_by_limit(lambda: 3, seconds=0.3)) == [3]
    time.sleep(0.4)
    assert signal.getsignal(signal.SIGALRM) is before


def test_check_turns_an_endless_loop_into_a_message(monkeypatch):
    monkeypatch.setattr("mlcourse.exercises.CHECK_SECONDS", 0.3)

    def cosine_similarity(u, v):
        while True:
            u = u + 1

    start = time.monotonic()
    result = check(cosine_similarity)
    assert time.monotonic() - start < 3
    assert result.points == 0
    assert "it ran longer than 0.3 s; is there a loop that never ends?" in repr(result)
    assert "u = u + 1" in repr(result) or "while True" in repr(result)


def test_an_interrupt_of_the_person_goes_through():
    def cosine_similarity(u, v):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(cosine_similarity)
