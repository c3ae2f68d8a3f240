"""What holds for the package as a whole: light to import, one list of dependencies, one address of the repository."""

import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import mlcourse

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def locked(lock="requirements.lock"):
    """A lock as a dict of names and versions."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and not line.startswith("#")]
    pairs = [line.split(";")[0].strip().split("==") for line in lines]
    return {_plain(name): version for name, version in pairs}


def _plain(name):
    return re.sub(r"[-_.]+", "-", name.split("[")[0]).lower()


def _import_seconds():
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import mlcourse"], check=True)
    with_package = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    return with_package, time.perf_counter() - start


def test_import_brings_no_heavy_library():
    code = "import sys, mlcourse; print([m for m in ('torch', 'pandas', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_costs_little_more_than_numpy():
    differences = [a - b for a, b in (_import_seconds() for _ in range(3))]
    assert min(differences) < 0.1


def test_check_imports_no_heavy_library():
    code = (
        "import sys; from mlcourse.exercises import check; "
        "print([m for m in ('torch', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_is_the_project_version():
    assert mlcourse.__version__ == PROJECT["version"]


def test_lock_has_every_dependency_at_an_allowed_version():
    pins = locked() | locked("requirements-gpu.lock")
    for text in PROJECT["dependencies"] + [d for extra in EXTRAS.values() for d in extra]:
        requirement = Requirement(text)
        assert _plain(requirement.name) in pins, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(pins[_plain(requirement.name)]), text


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-gpu.lock"])
def test_lock_pins_one_plain_version_of_each_package(lock):
    lines = (ROOT / lock).read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    assert all(re.match(r"^[A-Za-z0-9._-]+==[0-9][^+ ]*( ; .+)?$", line) for line in entries)
    assert len(entries) == len(locked(lock))
    assert any("make lock" in line for line in lines if line.startswith("#"))


def test_nothing_of_the_gpu_is_installed_by_default():
    assert {_plain(Requirement(d).name) for d in EXTRAS["gpu"]} <= set(locked("requirements-gpu.lock"))
    assert not set(locked("requirements-gpu.lock")) & set(locked())


def test_base_package_does_not_need_torch():
    assert not any(Requirement(d).name == "torch" for d in PROJECT["dependencies"])


def test_each_dependency_is_declared_once():
    names = [
        _plain(Requirement(d).name) for d in PROJECT["dependencies"] + [d for extra in EXTRAS.values() for d in extra]
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", ["3.11.0", "3.12.0", "3.13.0"])
def test_supported_python(version):
    assert version in SpecifierSet(PROJECT["requires-python"])


def test_environment_yml_is_equal_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert [line for line in pip if line.startswith("-")] == ["--constraint requirements.lock", "--editable ."]
    declared = PROJECT["dependencies"] + [
        d for name, extra in EXTRAS.items() if name not in ("torch", "gpu") for d in extra
    ]
    assert sorted(line for line in pip if not line.startswith("-")) == sorted(declared)
    assert [f"pytorch-cpu{Requirement(d).specifier}" for d in EXTRAS["torch"]] == [c for c in conda if "torch" in c]
    python = next(c for c in conda if c.startswith("python="))
    assert python.removeprefix("python=") + ".0" in SpecifierSet(PROJECT["requires-python"])


def _tracked_text():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        path = ROOT / name
        if path.suffix not in (".png", ".woff2") and path.is_file():
            yield name, path.read_text(encoding="utf-8")


def test_repository_address_is_written_once():
    slug = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"].split("github.com/")[1]
    derived = ("notebooks/", "exercises/")
    hits = [name for name, text in _tracked_text() if slug in text and not name.startswith(derived)]
    assert hits == ["_config.yml"]


def test_no_address_of_a_package_registry():
    registries = [
        "pypi" + ".org",
        "files.python" + "hosted",
        "registry.npm" + "js",
        "download.pytorch" + ".org",
        "deb.debian" + ".org",
    ]
    assert [(name, r) for name, text in _tracked_text() for r in registries if r in text] == []
