"""What several tests of the grader need."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def checks(tmp_path):
    """The path of a teacher's file that breaks the grader where a submission asks for it."""
    return Path(shutil.copy(Path(__file__).with_name("week.py"), tmp_path))
