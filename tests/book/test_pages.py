"""The pages about the course itself: what they show is what the tools do."""

import os
import re
import shutil
import subprocess
import sys
import textwrap

import numpy as np

from mlcourse.exercises import check
from tests.conftest import ROOT

_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>\w+)\n(?P<code>.*?)^(?P=indent)(?P=fence)$", re.M | re.S
)


def blocks(page):
    """The fenced blocks of a page, in order: language and code."""
    text = (ROOT / "book" / page).read_text(encoding="utf-8")
    return [(match["language"], textwrap.dedent(match["code"])) for match in _BLOCK.finditer(text)]


def test_how_to_use_shows_what_a_check_answers():
    shown = blocks("how-to-use.md")
    place, code = next((i, code) for i, (_, code) in enumerate(shown) if "check(unit_vector)" in code)
    definition, call = code.rstrip().rsplit("\n", 1)
    names = {"np": np, "check": check}
    with np.errstate(all="ignore"):
        exec(definition, names)
        answer = repr(eval(call, names))
    assert shown[place + 1] == ("text", answer + "\n")


def test_the_chapter_that_contributing_describes_can_be_added(sources):
    """Its sources are derived without a fault, and its exercise passes the tests of all exercises."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    written = dict.fromkeys(("book/math/means.md", "solutions/math/means.md", "src/mlcourse/exercises/math/means.py"))
    examples = [code for language, code in blocks("contributing.md") if language in ("markdown", "python")]
    for name, code in zip(written, examples, strict=False):
        (sources / name).write_text(code, encoding="utf-8")
    toc = sources / "_toc.yml"
    vectors = "      - file: book/math/vectors\n"
    toc.write_text(toc.read_text().replace(vectors, vectors + "      - file: book/math/means\n"))
    plan = sources / "book/plan.yml"
    first = '      - {slug: vectors, title: "Vectors"}\n'
    plan.write_text(plan.read_text().replace(first, first + '      - {slug: means, title: "Means"}\n'))
    environment = {**os.environ, "PYTHONPATH": str(sources / "src")}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=sources, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "notebooks/math/means.ipynb" in run("mlcourse.cli", "sync")
    passed = run("pytest", "tests/exercises", "-q", "-k", "math/means", "-p", "no:xdist", "-p", "no:cacheprovider")
    assert " passed" in passed
