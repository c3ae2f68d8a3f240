"""The kernels that the exercises on parallel patterns print are those that are run."""

from mlcourse.exercises.gpu import parallel_patterns as exercises
from tests.conftest import ROOT

SOLVED = (ROOT / "solutions/gpu/parallel-patterns.md").read_text(encoding="utf-8")


def test_hunted_kernels_are_printed_as_they_run():
    for name, text in exercises.HUNTED.items():
        assert f"```{{code-block}} cuda\n{text.strip()}\n```" in SOLVED, name


def test_counted_trees_are_printed_as_they_run():
    assert exercises.tree_kernel("halves").strip() in SOLVED
    assert exercises.TREES["neighbors"] in SOLVED


def test_the_kernel_to_mend_is_the_planted_one():
    planted = next(mistake.answer for mistake in exercises.MEND_SCAN.mistakes if mistake.planted)
    assert all(f"#| {line}" in SOLVED for line in planted.strip().splitlines())
