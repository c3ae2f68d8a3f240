"""Which files a chapter's outputs depend on: at least those that it reads when it runs, and no part of the package besides."""

import shutil

import pytest

from mlcourse.authoring.code_used import PackageCode
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.execute import _run
from mlcourse.authoring.myst import read_notebook
from tests.conftest import ROOT

MODULES = {
    "__init__.py": '"""mlcourse.in_docstring is named, not imported."""\ndef setup():\n    from mlcourse.show import style\n',
    "in_docstring.py": "",
    "show/__init__.py": "from mlcourse.show.style import INK\n",
    "show/style.py": "INK = 1\n",
    "show/plots.py": "from ..part import fit\nfrom . import style\n",
    "part/__init__.py": "from mlcourse.part.fit import Fit\n",
    "part/fit.py": "def Fit():\n    import mlcourse.base as base\n    return base\n",
    "part/table.csv": "1,2\n",
    "part/more/digits.json": "[]",
    "part/nested/__init__.py": "",
    "part/nested/notes.json": "[]",
    "base.py": "",
    "worker.py": "import mlcourse.base\n",
    "dynamic.py": 'import importlib\n\n\ndef load(name):\n    return importlib.import_module(f"mlcourse.{name}")\n',
    "grading/__init__.py": "",
}
ALWAYS = {"__init__.py", "show/__init__.py", "show/style.py"}
PART = {"part/__init__.py", "part/fit.py", "part/table.csv", "part/more/digits.json", "base.py"}


@pytest.fixture
def root(tmp_path):
    for name, text in MODULES.items():
        path = tmp_path / "src/mlcourse" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "requirements.lock").write_text("a==1\n")
    return tmp_path


def used(root, *cells):
    return {path.relative_to(root / "src/mlcourse").as_posix() for path in PackageCode(root).files_used(cells)}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("import numpy as np", set()),
        ("import mlcourse", ALWAYS),
        ("import mlcourse.base", ALWAYS | {"base.py"}),
        ("from mlcourse import base", ALWAYS | {"base.py"}),
        ("from mlcourse.part import Fit", ALWAYS | PART),
        ("def later():\n    from mlcourse.part.fit import Fit", ALWAYS | PART),
        ("from mlcourse.show import plots", ALWAYS | PART | {"show/plots.py"}),
        ("from mlcourse.show import *", ALWAYS | PART | {"show/plots.py"}),
        ("from mlcourse.part import nested", ALWAYS | PART | {"part/nested/__init__.py", "part/nested/notes.json"}),
        ("run([python, '-m', 'mlcourse.worker'])", ALWAYS | {"worker.py", "base.py"}),
        ("run([python, '-c', 'from mlcourse import worker'])", ALWAYS | {"worker.py", "base.py"}),
        ("# import mlcourse.base\nprint(1)", set()),
    ],
)
def test_files_used(root, cell, expected):
    assert used(root, cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "from mlcourse import dynamic",
        "__import__(name)",
        "exec(code)",
        "%timeit f(x)",
        "!mlcourse doctor",
        "%%bash\nmlcourse doctor",
        "this is no Python (",
    ],
)
def test_code_that_decides_while_it_runs_uses_the_whole_package(root, cell):
    assert used(root, cell) == set(MODULES)


def test_the_cells_count_together(root):
    assert used(root, "import mlcourse.base", "import mlcourse.worker") == ALWAYS | {"base.py", "worker.py"}


def test_a_module_that_is_not_python_has_a_place(root):
    (root / "src/mlcourse/base.py").write_text("x = 1\ny = (\n")
    with pytest.raises(SourceError, match=r"base\.py:2: not valid Python"):
        used(root, "import mlcourse.base")


# ---- the chapters of the book

CLASSICAL = {
    "classical/linear-regression",
    "classical/decision-trees",
    "classical/support-vector-machines",
    "classical/clustering",
    "neural/multilayer-perceptron",  # compares with logistic regression
}


@pytest.fixture(scope="module")
def package_copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", root)
    return root


def code_of(chapter):
    return [cell.source for cell in read_notebook(chapter.path)[1] if cell.kind == "code"]


def changed_by(course, root, name):
    """The chapters that are executed again when a file of the package changes."""

    def keys():
        package = PackageCode(root)
        return {chapter.slug: package.key(code_of(chapter)) for chapter in course.chapters}

    path = root / name
    before, text = keys(), path.read_text()
    path.write_text(f"{text}\n# changed\n")
    after = keys()
    path.write_text(text)
    return {slug for slug in before if before[slug] != after[slug]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("src/mlcourse/classical/linear_model.py", CLASSICAL),
        ("src/mlcourse/classical/diagnostics.py", {"classical/linear-regression"}),
        ("src/mlcourse/display/math.py", {"math/vectors", "classical/clustering", "neural/multilayer-perceptron"}),
        ("src/mlcourse/grading/engine.py", set()),
        ("src/mlcourse/authoring/optimize.py", set()),
        ("src/mlcourse/cli.py", set()),
    ],
)
def test_a_change_executes_the_chapters_that_use_it(course, package_copy, name, expected):
    assert changed_by(course, package_copy, name) == expected


@pytest.mark.parametrize("name", ["src/mlcourse/display/style.py", "src/mlcourse/__init__.py", "requirements.lock"])
def test_what_all_chapters_use_executes_them_all(course, package_copy, name):
    assert changed_by(course, package_copy, name) == set(course.by_slug)


def test_what_a_chapter_imports_when_it_runs_is_among_what_was_found(course):
    chapter = course.by_slug["classical/linear-regression"]
    notebook, _ = read_notebook(chapter.path)
    cell = (
        "import sys\nprint(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'mlcourse'), sep='\\n')"
    )
    notebook.cells.append(notebook.cells[-1].__class__(cell_type="code", source=cell, metadata={}, outputs=[]))
    notebook.cells[-1]["execution_count"] = None
    ran, _, error = _run(chapter.path, notebook, 120)
    assert error == ""
    imported = set(ran.cells[-1].outputs[0].text.split())
    assert str(ROOT / "src/mlcourse/classical/linear_model.py") in imported
    found = {str(path) for path in PackageCode(ROOT).files_used(code_of(chapter))}
    assert imported <= found, sorted(imported - found)
