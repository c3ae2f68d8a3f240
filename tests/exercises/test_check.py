"""`check`, `hint` and finding an exercise."""

import subprocess
import sys
import time

import pytest

from mlcourse.exercises import check, exercise_set, exercise_sets, find, hint


def cosine_similarity(u, v):
    return u @ v


def test_check_answers_with_a_card():
    result = check(cosine_similarity)
    assert not result.passed
    assert "Cosine" in repr(result) or "cosine" in repr(result)
    assert "<div" in result._repr_html_()


def test_check_answers_in_well_under_a_second():
    check(cosine_similarity)
    start = time.perf_counter()
    check(cosine_similarity)
    assert time.perf_counter() - start < 0.5


def test_first_check_with_import_takes_about_a_second():
    code = "from mlcourse.exercises import check\ndef cosine_similarity(u, v): return u @ v\ncheck(cosine_similarity)"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("wrong", [3, "text", None])
def test_check_wants_a_function(wrong):
    with pytest.raises(TypeError, match="check takes the function you wrote"):
        check(wrong)


def test_unknown_function_gets_a_suggestion():
    def cosine_similarty(u, v): ...

    with pytest.raises(LookupError, match="did you mean cosine_similarity"):
        check(cosine_similarty)
    with pytest.raises(LookupError, match="keep the name"):
        find("zzzzzz")


def test_unknown_set_lists_the_known_ones():
    with pytest.raises(LookupError, match="math/vectors"):
        exercise_set("math/nothing")


def test_hints_come_one_by_one_and_end(capsys):
    exercise = find("cosine_similarity")
    for _ in exercise.hints:
        hint(cosine_similarity)
    hint("cosine_similarity")
    shown = capsys.readouterr().out
    assert shown.index(exercise.hints[0]) < shown.index(exercise.hints[-1])
    assert "that was the last one" in shown


def test_every_set_has_8_to_12_exercises():
    for key in exercise_sets():
        assert 6 <= len(exercise_set(key)) <= 15, key
