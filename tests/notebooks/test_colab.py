"""Rehearse Colab: a clean environment without the course, an empty folder, the notebook as it is in the repository.

The set-up cell installs the package from the repository's address; git is told to find that address on this disk.
"""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PROVIDED = [
    "ipykernel",
    "matplotlib",
    "nbclient",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "seaborn",
    "statsmodels",
    "tqdm",
]
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
nb = nbformat.read(sys.argv[1], 4)
NotebookClient(nb, timeout=300, kernel_name="python3").execute()
import mlcourse, importlib.util
assert "site-packages" in mlcourse.__file__, mlcourse.__file__
assert importlib.util.find_spec("torch") is None
"""


def command(arguments, **options):
    done = subprocess.run(
        [str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def colab(tmp_path_factory, course):
    """Python of a clean environment, and the variables that lead git to a copy of the working tree, tagged as released."""
    folder = tmp_path_factory.mktemp("colab")
    command([sys.executable, "-m", "venv", folder / "venv"])
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command([python, "-m", "pip", "install", "-q", "-c", ROOT / "requirements.lock", *PROVIDED])
    copy = folder / "repository"
    command(["git", "clone", "-q", ROOT, copy])
    names = command(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "pyproject.toml", "README.md"],
        cwd=ROOT,
    )
    for name in names.split():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    identity = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"]
    command(["git", "add", "--all"], cwd=copy)
    command(["git", *identity, "commit", "-q", "--allow-empty", "-m", "as in the working tree"], cwd=copy)
    command(["git", *identity, "tag", "--force", f"v{course.version}"], cwd=copy)
    redirect = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{copy.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": course.repository,
    }
    environment = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "MPLBACKEND")
    }
    return python, {**environment, **redirect}


@pytest.mark.parametrize(
    "notebook",
    [
        "notebooks/math/vectors.ipynb",
        "notebooks/python/numpy.ipynb",
        "notebooks/classical/linear-regression.ipynb",
        "exercises/math/vectors.ipynb",
    ],
)
def test_notebook_runs_on_a_machine_that_has_never_seen_the_course(notebook, colab, tmp_path):
    python, environment = colab
    empty = tmp_path / "empty"
    empty.mkdir()
    command([python, "-m", "pip", "uninstall", "-q", "-y", "mlcourse"], env=environment)
    command([python, "-c", EXECUTE, ROOT / notebook], cwd=empty, env=environment)
    assert list(empty.iterdir()) == [], "the notebook left files behind"
