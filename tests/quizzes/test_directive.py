"""Quiz and pre-test in a chapter's sources: names, faults with their place, the form in the notebook."""

import json

import pytest

from mlcourse.authoring.course import Course
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.quizzes import asked_before, questions_of
from mlcourse.authoring.sync import derive
from tests.conftest import ROOT

ONE = ":::{quiz} Which?\n:name: which\n- [ ] A\n  > a\n- [x] B\n  > b\n:::\n"


@pytest.fixture
def chapter(tmp_path):
    def write(text):
        path = tmp_path / "chapter.md"
        path.write_text(f"---\nkernelspec: {{name: python3}}\n---\n# Title\n\n{text}")
        return path

    return write


def test_every_question_of_the_course_has_a_name(course):
    for one in course.chapters:
        assert len(questions_of(one.path)) >= 5


def test_questions_in_their_order(chapter):
    path = chapter(ONE + "\ntext\n\n" + ONE.replace("which", "other"))
    questions = questions_of(path)
    assert list(questions) == ["which", "other"]
    assert (questions["which"].text, questions["which"].line, questions["which"].body_line) == ("Which?", 6, 8)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (ONE.replace(":name: which\n", ""), 6, "this question has no name"),
        (ONE.replace(": which", ": Which One"), 6, "'Which One' is not lower-case words"),
        (ONE + "\n" + ONE, 14, "'which' stands on line 6 too"),
        (ONE.replace("  > b\n", ""), 10, "'B' has no feedback"),
        (ONE.replace("[x]", "[ ]"), 8, "exactly one `[x]`"),
    ],
)
def test_faults_have_their_line(chapter, text, line, words):
    with pytest.raises(SourceError, match="fix:") as caught:
        questions_of(chapter(text))
    assert (caught.value.line, words in caught.value.message) == (line, True), caught.value


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("whihc", "no question 'whihc'.*did you mean 'which'"),
        ("which which", "each once"),
        ("", "each once"),
    ],
)
def test_a_pretest_names_questions_of_the_quiz(chapter, argument, words):
    path = chapter(ONE)
    assert [question.name for question in asked_before("which", questions_of(path), path, 3)] == ["which"]
    with pytest.raises(SourceError, match=rf"(?s)chapter\.md:3.*{words}"):
        asked_before(argument, questions_of(path), path, 3)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (":name: which-distance", ":name: why-cut", r"vectors\.md:\d+: the question 'why-cut' stands on line \d+ too"),
        ("{pretest} which", "{pretest} wihch", r"vectors\.md:\d+: the quiz of this chapter has no question 'wihch"),
        ("The 1-norm.\n", "The $\\mystery$-norm.\n", r"vectors\.md:\d+: \\mystery has no form in a notebook"),
    ],
)
def test_a_chapter_with_a_fault_is_not_derived(sources, old, new, words):
    path = sources / "book/math/vectors.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SourceError, match=words):
        derive(Course(sources))


def test_notebook_has_the_question_and_a_folded_cell_that_asks_it(course):
    for one in course.chapters:
        notebook = json.loads((ROOT / f"notebooks/{one.slug}.ipynb").read_text())
        cells = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in notebook["cells"]]
        asked = [place for place, (_, text, _) in enumerate(cells) if "from mlcourse.quizzes import" in text]
        functions = ["pretest" if "import pretest" in cells[place][1] else "quiz" for place in asked]
        assert functions.count("quiz") == len(questions_of(one.path))
        assert functions[:3] == ["pretest"] * 3 and "pretest" not in functions[3:]
        for place in asked:
            kind, text, metadata = cells[place]
            assert kind == "code" and text.startswith("#@title ")
            assert metadata == {"jupyter": {"source_hidden": True}, "cellView": "form"}
            assert cells[place - 1][0] == "markdown" and cells[place - 1][1].startswith("**Question.** ")


def test_every_question_can_be_asked(course):
    for one in course.chapters:
        for cell in json.loads((ROOT / f"notebooks/{one.slug}.ipynb").read_text())["cells"]:
            source = "".join(cell["source"])
            if "from mlcourse.quizzes import" in source:
                names = {}
                exec(source.rpartition("\n\n")[0] if "\n\n" not in source else source.split("\n\n", 1)[0], names)
                shown = eval(source.split("\n\n", 1)[1], names)
                assert shown.key.startswith(f"{one.slug}#")
