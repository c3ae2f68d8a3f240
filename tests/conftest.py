"""What several tests need: the course, a copy of its sources to break, the built site."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

settings.register_profile("mlcourse", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("mlcourse")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def progress_of_the_tests(tmp_path_factory):
    """Keep what the tests check out of the progress of the person who runs them."""
    os.environ["MLCOURSE_PROGRESS"] = str(tmp_path_factory.mktemp("progress") / "progress.jsonl")


@pytest.fixture(scope="session")
def course():
    from mlcourse.authoring.course import Course

    return Course(ROOT)


@pytest.fixture
def sources(tmp_path):
    """A copy of everything that is written by hand, free to be broken."""
    for name in ("book", "solutions"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="session")
def built_site():
    """The folder of the site, built by the command that everybody uses, by one process at a time."""
    (ROOT / "_build").mkdir(exist_ok=True)
    with FileLock(ROOT / "_build/site.lock"):
        done = subprocess.run([sys.executable, "-m", "mlcourse.cli", "book"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "_build/html"
