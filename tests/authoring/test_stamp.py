"""The footer says which version, commit and date a page was built from, and nothing that the folder cannot know."""

import subprocess
from types import SimpleNamespace

import pytest

from mlcourse.authoring.stamp import stamp


@pytest.fixture
def clone(tmp_path):
    root = tmp_path / "clone"
    root.mkdir()
    (root / "file.txt").write_text("1\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=first", date="2026-02-03T23:59:00+00:00")
    return root


def git(root, *arguments, date="2026-02-03T00:00:00+00:00"):
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    environment = {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": "2020-01-01T00:00:00+00:00", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def of(root):
    return stamp(SimpleNamespace(root=root, version="1.2", repository="https://host/owner/name"))


def test_version_commit_and_its_date(clone):
    sha = git(clone, "rev-parse", "HEAD")
    link = f'<a href="https://host/owner/name/tree/{sha}">{sha[:7]}</a>'
    assert of(clone) == f'Version 1.2, commit {link} of <time datetime="2026-02-03">February 3, 2026</time>'


def test_a_change_that_is_in_no_commit_is_said(clone):
    (clone / "new.txt").write_text("not known to git\n")
    assert not of(clone).endswith(", with changes since")
    (clone / "file.txt").write_text("2\n")
    assert of(clone).endswith(", with changes since")


def test_without_git_only_the_version(tmp_path):
    assert of(tmp_path) == "Version 1.2"


def test_a_download_inside_another_repository_does_not_take_its_commit(clone):
    inside = clone / "downloads/course"
    inside.mkdir(parents=True)
    assert of(inside) == "Version 1.2"


def test_a_repository_without_a_commit(tmp_path):
    git(tmp_path, "init", "--quiet")
    assert of(tmp_path) == "Version 1.2"


def test_without_the_program_git_only_the_version(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert of(clone) == "Version 1.2"
