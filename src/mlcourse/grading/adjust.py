"""`mlcourse adjust`: points that a person gives or takes, as entries beside the marks."""

from __future__ import annotations

from mlcourse.grading.classroom import class_seed, write_current_reports
from mlcourse.grading.gradebook import Gradebook, GradebookError
from mlcourse.grading.reading import read_table


def adjust_one(out, student, exercise_set, points, *, by, why, exercise=""):
    """Enter one adjustment in the gradebook of a class and write its reports anew.

    Parameters
    ----------
    out : Path
        The folder that ``mlcourse grade`` wrote.
    student, exercise_set, points, by, why, exercise
        As `Gradebook.adjust` takes them.

    Returns
    -------
    float
        The student's points in this exercise set with all adjustments.
    """
    with _gradebook(out) as book:
        book.adjust(student, exercise_set, points, by, why, exercise)
        _write(book, out)
        return book.final_points(student, exercise_set)


def adjust_from_table(out, table, *, by):
    """Enter the points that a person wrote in the table of answers to read; the whole table is looked at before any is entered.

    Returns
    -------
    list of Reading
        What was entered.
    """
    with _gradebook(out) as book:
        readings = read_table(table, _latest(book, out), book.adjustments())
        for reading in readings:
            book.adjust(reading.student, reading.exercise_set, reading.points, by, reading.why, reading.exercise)
        _write(book, out)
    return readings


def _gradebook(out):
    if not (out / "gradebook.sqlite").is_file():
        raise GradebookError(f"{out} holds no gradebook; give the folder that `mlcourse grade --out` wrote")
    return Gradebook(out / "gradebook.sqlite")


def _latest(book, out):
    return book.latest(seed=class_seed(out, None))


def _write(book, out):
    write_current_reports(book, out, class_seed(out, None), _without_replaced_rejections)


def _without_replaced_rejections(marks):
    """Leave out files that could not be read, of students who have handed in another one since."""
    graded = {mark.student for mark in marks if mark.status == "graded"}
    return [mark for mark in marks if mark.exercise_set or mark.student not in graded]
