"""`mlcourse doctor`: the right remedy for each reason, probes that notice a leak, and never a crash."""

import sys
import time

import pytest

from mlcourse.cli import main
from mlcourse.grading import cgroup, doctor, sandbox, seccomp
from mlcourse.grading.doctor import Finding, System, as_text, examine, remedy, works_here

why = sandbox.why_no_bubblewrap()
needs_sandbox = pytest.mark.skipif(bool(why), reason=why or "bubblewrap works")

UID_MAP = "bwrap: setting up uid map: Permission denied"
NO_NAMESPACE = "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces"
LOOPBACK = "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted"
PROC = "bwrap: Can't mount proc on /newroot/proc: Operation not permitted"
CLONE = "bwrap: Creating new namespace failed: Operation not permitted"
UBUNTU = {"kernel.apparmor_restrict_unprivileged_userns": "1", "user.max_user_namespaces": "63000"}


@pytest.mark.parametrize(
    ("complaint", "system", "words"),
    [
        ("", System(distribution="ubuntu debian"), "sudo apt-get install bubblewrap"),
        ("", System(distribution="fedora"), "sudo dnf install bubblewrap"),
        ("", System(distribution="opensuse-leap suse"), "sudo zypper install bubblewrap"),
        ("", System(distribution="slackware"), "install the package bubblewrap"),
        ("", System(platform="darwin"), "a virtual machine with Linux"),
        ("", System(platform="win32"), "wsl --install"),
        ("", System(release="4.4.0-19041-Microsoft"), "wsl --set-version <distribution> 2"),
        (CLONE, System(release="4.4.0-19041-Microsoft"), "wsl --set-version <distribution> 2"),
        ("bwrap: Unknown option --size", System(), "install bubblewrap 0.7 or later"),
        ("bwrap: Unexpected capabilities but not setuid, old file caps config?", System(), "sudo setcap -r"),
        (
            NO_NAMESPACE,
            System(settings={"kernel.unprivileged_userns_clone": "0"}),
            "kernel.unprivileged_userns_clone=1",
        ),
        (NO_NAMESPACE, System(settings={"user.max_user_namespaces": "0"}), "user.max_user_namespaces=15000"),
        (NO_NAMESPACE, System(root=True, settings={"user.max_user_namespaces": "0"}), "user.max_user_namespaces=15000"),
        ("bwrap: Creating new namespace failed: No space left on device", System(), "too many user namespaces"),
        (UID_MAP, System(settings=UBUNTU), "apparmor_parser -r /etc/apparmor.d/bwrap"),
        (LOOPBACK, System(settings=UBUNTU), "userns,"),
        (CLONE, System(container="docker"), "docker run --security-opt seccomp=unconfined"),
        (PROC, System(container="docker", root=True), "systempaths=unconfined"),
        (PROC, System(container="podman"), "--security-opt unmask=ALL"),
        (PROC, System(container="kubernetes"), "procMount: Unmasked"),
        (PROC, System(), "part of /proc is covered"),
        (CLONE, System(), "ask who runs this machine"),
        ("something new", System(), "--sandbox none"),
    ],
)
def test_remedy(complaint, system, words):
    assert words in remedy(complaint, system)


def test_settings_for_ordinary_users_are_no_remedy_for_root():
    settings = {"kernel.unprivileged_userns_clone": "0", "kernel.apparmor_restrict_unprivileged_userns": "1"}
    assert "sysctl" not in remedy(CLONE, System(root=True, settings=settings))
    assert "apparmor_parser" not in remedy(CLONE, System(root=True, settings=settings))


@pytest.mark.parametrize(
    ("release", "version"),
    [("4.4.0-19041-Microsoft", 1), ("5.15.153.1-microsoft-standard-WSL2", 2), ("6.8.0-31-generic", 0)],
)
def test_wsl(release, version):
    assert System(release=release).wsl == version


def test_this_system():
    system = System.this()
    assert system.platform == sys.platform
    assert set(system.settings) <= set(doctor._SETTINGS)


def test_table_and_verdict():
    fine = [Finding("ok", "Python", "3.12"), Finding("warning", "a long name", "says", "first\nsecond")]
    assert as_text(fine).splitlines() == [
        "ok       Python       3.12",
        "warning  a long name  says",
        "                      first",
        "                      second",
        "",
        "Grading in the sandbox works here.",
    ]
    assert works_here(fine)
    broken = [*fine, Finding("problem", "bubblewrap", "not installed")]
    assert not works_here(broken)
    assert as_text(broken).endswith("Grading in the sandbox does not work here.")


def test_no_check_can_end_it(monkeypatch):
    """What cannot be found out is a finding; where the sandbox is concerned, a problem."""

    def broken():
        raise RuntimeError("a bad day")

    checks = [(what, broken, otherwise) for what, _, otherwise in doctor._CHECKS]
    monkeypatch.setattr(doctor, "_CHECKS", checks)
    findings = examine()
    assert len(findings) == len(checks)
    assert all("cannot be found out: RuntimeError: a bad day" in finding.says for finding in findings)
    assert {f.what for f in findings if f.status == "problem"} == {"exercises", "bubblewrap", "sandbox"}


@needs_sandbox
def test_here(capsys):
    start = time.monotonic()
    assert main(["doctor"]) == 0
    assert time.monotonic() - start < 30  # on a busy machine; it needs 3, or 7 with its first kernel
    shown = capsys.readouterr().out
    assert "ok       isolation" in shown
    assert "time, memory and processes are limited" in shown
    assert "problem" not in shown


def test_without_bubblewrap(monkeypatch, capsys):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox, "why_no_bubblewrap", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(System, "this", lambda: System(distribution="debian"))
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "problem  bubblewrap" in shown
    assert "sudo apt-get install bubblewrap" in shown


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_on_other_systems(platform, monkeypatch):
    """As there: no user ids, and nothing below /proc, /sys and /etc."""
    monkeypatch.setattr(doctor.sys, "platform", platform)
    monkeypatch.delattr(doctor.os, "geteuid", raising=False)
    monkeypatch.setattr(doctor, "_text", lambda path: "")
    monkeypatch.setattr(doctor, "_container", lambda: "")
    monkeypatch.setattr(
        sandbox, "why_no_bubblewrap", lambda: f"bubblewrap exists for Linux only, and this is {platform}"
    )
    findings = examine()
    assert not works_here(findings)
    assert not [finding for finding in findings if "cannot be found out" in finding.says]
    (problem,) = [finding for finding in findings if finding.status == "problem"]
    assert (problem.what, problem.says) == ("bubblewrap", f"not for {platform}")


def test_an_old_bubblewrap(monkeypatch, tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    program.chmod(0o755)
    monkeypatch.setattr(doctor, "_bwrap", lambda: str(program))
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(program))
    monkeypatch.setattr(System, "this", lambda: System())
    (finding,) = doctor._bubblewrap()
    assert (finding.status, finding.says) == ("problem", "bubblewrap 0.6.1 is too old")
    assert "0.7 or later" in finding.do


def test_a_bubblewrap_that_does_not_work(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/bwrap")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *a, **k: type("Done", (), {"stdout": "bubblewrap 0.9.0\n"}))
    monkeypatch.setattr(sandbox, "try_bubblewrap", lambda: UID_MAP)
    monkeypatch.setattr(System, "this", lambda: System(settings=UBUNTU))
    (finding,) = doctor._bubblewrap()
    assert finding.says == f"does not work: {UID_MAP}"
    assert "apparmor" in finding.do


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (System(), "systemd-run --user --scope -p Delegate=yes mlcourse grade"),
        (System(container="docker"), "a writable /sys/fs/cgroup"),
        (System(root=True), "watched 20 times a second"),
    ],
)
def test_without_control_groups(system, words, monkeypatch):
    monkeypatch.setattr(cgroup, "place", lambda: None)
    monkeypatch.setattr(cgroup, "why_no_groups", lambda: "no control group can be made")
    finding = next(f for f in doctor._limits(system) if f.what == "control groups")
    assert (finding.status, finding.says) == ("warning", "no control group can be made")
    assert words in finding.do


def test_without_a_filter(monkeypatch):
    monkeypatch.setattr(doctor.platform, "machine", lambda: "riscv64")
    finding = next(iter(doctor._limits(System())))
    assert (finding.status, finding.says) == ("warning", "not filtered: the numbers of riscv64 are not known")


def test_packages(monkeypatch):
    installed = {"numpy": "1.0", "torch": "2.13.0"}

    def version(name):
        if name not in installed:
            raise doctor.importlib.metadata.PackageNotFoundError
        return installed[name]

    wanted = [
        "numpy>=1.26",
        "tqdm",
        "torch>=2.4; extra == 'torch'",
        "sphinx; extra == 'book'",
        "dask; extra == 'cluster'",
    ]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    found = {finding.what: finding for finding in doctor._packages()}
    assert (found["packages"].status, found["packages"].says) == ("problem", "numpy 1.0 is not >=1.26; tqdm is missing")
    assert found["packages [torch]"].status == "ok"
    assert (found["packages [book]"].says, found["packages [book]"].status) == ("not installed", "ok")
    assert "pip install 'mlcourse[cluster]'" in found["packages [cluster]"].do


def test_packages_that_are_not_compiled(monkeypatch):
    monkeypatch.setattr(doctor, "_is_compiled", lambda source: "pandas" not in str(source))
    (finding,) = doctor._compiled()
    assert finding.status == "warning"
    assert finding.says.startswith("pandas: ")
    assert "-m compileall" in finding.do


def test_an_exercise_set_that_does_not_load(monkeypatch):
    def broken(name):
        raise ImportError("no such module")

    monkeypatch.setattr("mlcourse.exercises.exercise_set", broken)
    (finding,) = doctor._exercises()
    assert finding.status == "problem"
    assert "math/vectors: ImportError: no such module" in finding.says


def test_a_full_disk(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 5 << 20}))
    (finding,) = doctor._disk()
    assert (finding.status, finding.says) == ("warning", "5 MB are free here")


@needs_sandbox
def test_probes_notice_what_a_sandbox_lets_through(monkeypatch):
    """A sandbox with the host's network, files and variables, and with no filter."""
    command = sandbox.bubblewrap_command()
    end = command.index("--chdir")
    leaks = ("--share-net", "--bind", "/tmp", "/tmp", "--ro-bind", "/etc", "/etc", "--setenv", "DOCTOR", "yes")
    monkeypatch.setattr(sandbox, "bubblewrap_command", lambda: (*command[:end], *leaks, *command[end:]))
    monkeypatch.setattr(seccomp, "program", lambda machine=None: b"")
    isolation = next(finding for finding in doctor._promises() if finding.what == "isolation")
    assert isolation.status == "problem"
    for leak in (
        "it reached the network",
        "/etc/passwd",
        "/canary",
        "it wrote outside",
        "it saw the grader's variables",
    ):
        assert leak in isolation.says
    assert "it has rights" not in isolation.says


@needs_sandbox
def test_probes_notice_missing_limits(monkeypatch):
    monkeypatch.setattr(doctor, "_try", lambda source, *arguments: {} if source is doctor._LOOK else 200)
    limits = next(finding for finding in doctor._promises() if finding.what == "limits")
    assert (limits.status, limits.says) == (
        "problem",
        "time is not limited; memory is not limited; the number of processes is not limited",
    )
