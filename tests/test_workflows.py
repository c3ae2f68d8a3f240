"""The workflows of GitHub Actions: valid, frugal with rights, and nothing in them but commands that everybody can run."""

import re

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / ".github"
FILES = sorted(FOLDER.rglob("*.yml"))
WORKFLOWS = sorted((FOLDER / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OF_THE_SYSTEM = ("sudo apt-get ", "sudo sysctl ")


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps_of(path):
    content = read(path)
    jobs = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [step for job in jobs for step in job["steps"]]


def test_there_are_workflows_for_changes_and_for_each_week():
    assert [path.name for path in WORKFLOWS] == ["site.yml", "weekly.yml"]
    assert "schedule" in read(FOLDER / "workflows/weekly.yml")[True], "YAML reads the key `on` as true"
    assert {"push", "pull_request"} <= read(FOLDER / "workflows/site.yml")[True].keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_are_those_of_the_repository(path):
    for step in steps_of(path):
        command = step.get("run", "make book")
        assert "\n" not in command and not re.search("[;&|]", command), f"logic belongs into the Makefile: {command}"
        make = re.fullmatch(r"make (\w+)", command)
        assert command.startswith(OF_THE_SYSTEM) or (make and make[1] in TARGETS), f"there is no such target: {command}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_major_version_or_lie_here(path):
    for step in steps_of(path):
        uses = step.get("uses", "./.github/actions/machine")
        here = uses.startswith("./") and (ROOT / uses / "action.yml").exists()
        assert here or re.fullmatch(r"actions/[\w-]+@v\d+", uses), uses


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_times_and_runs_at_once_are_limited(path):
    workflow = read(path)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        expected = {"pages": "write", "id-token": "write"} if name == "publish" else {"contents": "read"}
        assert job["permissions"] == expected, name


def test_only_main_is_published_and_only_what_was_tested():
    jobs = read(FOLDER / "workflows/site.yml")["jobs"]
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["if"] == "github.ref == 'refs/heads/main'"
    order = [step.get("run") or step["uses"].split("@")[0] for step in jobs["build"]["steps"]]
    assert order.index("make test") < order.index("actions/upload-pages-artifact")


def test_what_caches_are_keyed_on_exists():
    keys = [
        step["with"]["key"]
        for step in steps_of(FOLDER / "actions/machine/action.yml")
        if "cache@" in step.get("uses", "")
    ]
    patterns = [pattern for key in keys for pattern in re.findall(r"'([^']+)'", key)]
    assert "requirements.lock" in patterns
    assert [pattern for pattern in patterns if not any(ROOT.glob(pattern))] == []
