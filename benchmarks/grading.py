"""What grading costs: seconds and memory of `mlcourse grade`, beside nbgrader and otter-grader on the same submissions.

    python benchmarks/grading.py --setup     # make the environments of the other two in _build, once
    python benchmarks/grading.py             # about 20 minutes; --thousand takes a few more

A submission is the solved notebook of an exercise set of the course, of ten NumPy functions. `mlcourse` checks it on its public cases and
on those of the class, in the sandbox; the other two run one or two assertions for each function. Every timing is of a whole
command over all copies, starting included, and the commands take turns. The results go to benchmarks/results. It needs Linux.
"""

import argparse
import atexit
import csv
import json
import os
import platform
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil
from environments import NBGRADER, OTTER, ROOT, environment, python_of, variables_of

from mlcourse.authoring.exercises import exercise_cells
from mlcourse.exercises import exercise_set

KEY = "math/vectors"
TESTS = {
    "unit_vector": "assert np.allclose(unit_vector(np.array([3.0, -4.0])), [0.6, -0.8])",
    "cosine_similarity": "assert np.isclose(cosine_similarity(np.array([1.0, 0.0]), np.array([1.0, 1.0])), 0.5**0.5)",
    "predict_norms": "assert predict_norms()['shape of X @ q'] == (1797,)\nassert predict_norms()['bytes'] == 4",
    "angle_between_degrees": "assert np.isclose(angle_between_degrees(np.array([1.0, 0.0]), np.array([0.0, 2.0])), 90)",
    "orthogonal_part": "assert np.allclose(orthogonal_part(np.array([3.0, 4.0]), np.array([2.0, 0.0])), [0, 4])",
    "project_onto_line": "x, a, b = np.array([[3.0, 5.0], [0.0, 1.0], [2.0, 1.0]])\nassert np.allclose(project_onto_line(x, a, b), [3, 1])",
    "triangle_area_3d": "a, b, c = np.eye(3)\nassert np.isclose(triangle_area_3d(a, b, c), 0.75**0.5)",
    "nearest_label": "assert nearest_label(np.array([[9.0, 9.0], [1.0, 0.1]]), np.array([4, 7]), np.array([2.0, 0.0])) == 7",
    "distance_between": "u, v = np.array([[1, 250], [4, 254]], dtype=np.uint8)\nassert distance_between(u, v) == 5",
    "most_similar_samples": "X = np.random.default_rng(0).normal(size=(30, 4))\nassert len(most_similar_samples(X, 0, 5)) == 5",
}
LOOP = "while True:\n    pass"
HOSTILE = {
    "endless loop in a cell": [LOOP],
    "endless loop in every function": [f"def {name}(*inputs):\n    while True:\n        pass" for name in TESTS],
    "fork bomb": ["import os\nwhile True:\n    os.fork()"],
    "memory hog": ["rows = []\nwhile True:\n    rows.append(bytearray(10**7))"],
    "memory hog in every function": [
        f"def {name}(*inputs):\n    rows = []\n    while True:\n        rows.append(bytearray(10**7))" for name in TESTS
    ],
}
LIMITS = {
    "mlcourse, 1 job": {"wall": 0.3, "cpu": 0.2},
    "mlcourse, 2 jobs": {"wall": 0.15, "cpu": 0.2},
    "mlcourse, torch, 1 job": {"wall": 3.0},
}


class CpuClock:
    """Counts the processor seconds of commands and of everything that they start.

    The sandbox's processes are killed together, so that no parent waits for them and `resource.RUSAGE_CHILDREN` misses them. A control
    group of the kernel misses nothing; where there is none to be had, it is the busy time of the whole machine.
    """

    def __init__(self):
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        places = [Path(where) for _, where, kind, options, *_ in mounts if kind == "cgroup" and "cpuacct" in options]
        self._group = places[0] / f"benchmark-{os.getpid()}" if places else None
        try:
            self._group.mkdir()
        except (AttributeError, OSError):
            self._group = None
        self.how = "control group" if self._group else "busy time of the whole machine"

    def enter(self):
        """Put this process under the clock: a command does so before it begins."""
        if self._group:
            (self._group / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self):
        if self._group:
            return int((self._group / "cpuacct.usage").read_text()) / 1e9
        user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self._group:
            self._group.rmdir()


CLOCK = CpuClock()
atexit.register(CLOCK.close)


def timed(*command, cwd=None, variables=None, status=0):
    """Run a command; return its wall and processor seconds."""
    wall, cpu = time.perf_counter(), CLOCK.seconds()
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=variables, capture_output=True, text=True, preexec_fn=CLOCK.enter
    )
    if done.returncode != status:
        sys.exit(f"{shlex.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return {"wall": time.perf_counter() - wall, "cpu": CLOCK.seconds() - cpu}


def solved(first="import numpy as np"):
    """The code cells of a correct submission: by exercise, and those before and between them under other names."""
    cells = exercise_cells(ROOT / f"solutions/{KEY}.md", [exercise.name for exercise in exercise_set(KEY)])
    code = [(asked or f"other{i}", cell.source) for i, (cell, _, asked) in enumerate(cells) if cell.kind == "code"]
    return {"first": first, **dict(code)}


def notebook(sources, metadatas=None, **about):
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for i, source in enumerate(sources)
    ]
    for cell, metadata in zip(cells, metadatas or [], strict=False):
        cell["metadata"] = metadata
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel, **about}, "cells": cells})


def class_of(copies, text, folder, name="vectors.ipynb", inside=""):
    for number in range(copies):
        path = folder / f"student{number:04d}" / inside / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return folder


class Mlcourse:
    """This package: one command grades all copies."""

    def __init__(self, jobs, copies, folder, first="import numpy as np"):
        self.jobs, self.copies, self.out = jobs, copies, folder / "out"
        text = notebook(solved(first).values(), mlcourse={"exercises": KEY})
        self.source = class_of(copies, text, folder / "in")

    def run(self):
        shutil.rmtree(self.out, ignore_errors=True)
        seconds = timed(*grade_command(self.source, self.out, self.jobs))
        expect_full_marks(read_grades(self.out / "grades.csv"), self.copies)
        return seconds


class Nbgrader:
    """nbgrader: `autograde` over all copies, one after another, in kernels without a sandbox."""

    def __init__(self, copies, folder):
        self.python, self.copies, self.course = python_of("nbgrader"), copies, folder / "course"
        code = solved()
        sources, metadatas = [], []
        for name, source in code.items():
            sources.append(f"### BEGIN SOLUTION\n{source}\n### END SOLUTION" if name in TESTS else source)
            metadatas.append(self.about(name, solution=True) if name in TESTS else {})
            if name in TESTS:
                sources.append(TESTS[name])
                metadatas.append(self.about(f"test_{name}", grade=True, locked=True, points=1))
        path = self.course / "source/vectors/vectors.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook(sources, metadatas))
        self.nbgrader("generate_assignment")
        class_of(copies, notebook(sources, metadatas), self.course / "submitted", inside="vectors")
        self.fresh = shutil.copytree(self.course, folder / "fresh")

    def about(self, name, **changes):
        about = {"schema_version": 3, "cell_type": "code", "grade_id": name, "grade": False, "solution": False}
        return {"nbgrader": about | {"locked": False, "task": False} | changes}

    def nbgrader(self, *arguments):
        command = [self.python, "-m", "nbgrader", *arguments, "--assignment=vectors"]
        return timed(*command, cwd=self.course, variables=variables_of(self.python))

    def run(self):
        shutil.rmtree(self.course)
        shutil.copytree(self.fresh, self.course)
        seconds = self.nbgrader("autograde")
        self.nbgrader("export")
        grades = list(csv.DictReader((self.course / "grades.csv").read_text().splitlines()))
        expect_full_marks([(row["score"], row["max_score"]) for row in grades], self.copies)
        return seconds


class Otter:
    """otter-grader without containers: `otter run` for each copy, as its documentation has it."""

    TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = 1


@test_case()
def test({name}):
    import numpy as np

{body}
"""

    def __init__(self, copies, folder):
        self.python, self.copies, self.folder = python_of("otter"), copies, folder
        for name, test in TESTS.items():
            path = folder / "tests" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.TEST.format(name=name, body="\n".join(f"    {line}" for line in test.split("\n"))))
        (folder / "vectors.ipynb").write_text(notebook(solved().values()))
        (folder / "out").mkdir()
        self.otter("generate", "-t", "tests", "-o", "tests.zip", "--no-environment")

    def otter(self, *arguments):
        command = [self.python.with_name("otter"), *arguments]
        return timed(*command, cwd=self.folder, variables=variables_of(self.python))

    def run(self):
        runs = []
        for _ in range(self.copies):
            runs.append(self.otter("run", "-a", "tests.zip", "-o", "out", "--no-logo", "vectors.ipynb"))
            tests = json.loads((self.folder / "out/results.json").read_text())["tests"]
            expect_full_marks([(test["score"], test["max_score"]) for test in tests if "score" in test], len(TESTS))
        return {key: sum(run[key] for run in runs) for key in runs[0]}


def grade_command(source, out, jobs):
    return (sys.executable, "-m", "mlcourse.cli", "grade", source, "--out", out, "--seed", "1", "--jobs", jobs)


def read_grades(path):
    with open(path, encoding="utf-8-sig") as file:
        return [(row["points"], row["max_points"]) for row in csv.DictReader(file)]


def expect_full_marks(grades, count):
    """A fast grader that is wrong is no grader."""
    if len(grades) != count or any(float(points) != float(possible) for points, possible in grades):
        sys.exit(f"expected {count} submissions with all points; got {grades}")


def measure_copies(options, folder):
    """Seconds for each correct submission: every system in turn, then the medians of the rounds."""
    systems = {}
    if "mlcourse" in options.systems:
        for jobs in (1, 2):
            name = f"{jobs} job{'s' * (jobs > 1)}"
            systems[f"mlcourse, {name}"] = Mlcourse(jobs, options.copies, folder / f"jobs{jobs}")
            if options.torch:
                systems[f"mlcourse, torch, {name}"] = Mlcourse(
                    jobs, options.copies, folder / f"torch{jobs}", "import numpy as np\nimport torch"
                )
    for name, system in (("nbgrader", Nbgrader), ("otter", Otter)):
        if name in options.systems:
            systems[name] = system(options.copies, folder / name)
    runs = {name: [] for name in systems}
    for number in range(options.rounds):
        for name, system in systems.items():
            runs[name].append(system.run())
            say(f"round {number + 1}: {name}: {runs[name][-1]['wall'] / options.copies:.3f} s a submission")
    return {
        name: {
            **{key: round(statistics.median(run[key] for run in own) / options.copies, 4) for key in ("wall", "cpu")},
            "walls": [round(run["wall"] / options.copies, 4) for run in own],
        }
        for name, own in runs.items()
    }


def measure_hostile(folder):
    """Seconds that one hostile submission costs, and what it has earned."""
    found = {}
    for number, (name, cells) in enumerate(HOSTILE.items()):
        text = notebook([*list(solved().values()), *cells], mlcourse={"exercises": KEY})
        source = class_of(1, text, folder / f"hostile{number}")
        seconds = timed(*grade_command(source, folder / f"hostile-out{number}", 1))
        points = read_grades(folder / f"hostile-out{number}/grades.csv")[0][0]
        found[name] = {**{key: round(value, 2) for key, value in seconds.items()}, "points": float(points)}
        say(f"hostile, {name}: {seconds['wall']:.1f} s")
    return found


class MemoryWatch(threading.Thread):
    """Looks at the processes below a command: the most that a worker ever had, and what all others have now, together."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._command, self.worker, self.graders = psutil.Process(pid), 0, 0

    def run(self):
        while self._command.is_running():
            graders = 0
            for process in (self._command, *self._below()):
                try:
                    line = process.cmdline()
                    if "/grader/worker.py" in line:
                        self.worker = max(self.worker, highest_memory(process.pid))
                    elif "bwrap" not in "".join(line[:1]):
                        graders += process.memory_info().rss
                except (psutil.Error, OSError):
                    continue
            self.graders = graders or self.graders
            time.sleep(0.05)

    def _below(self):
        try:
            return self._command.children(recursive=True)
        except psutil.Error:
            return []


def highest_memory(pid):
    """The most bytes that a process had in memory so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)


def measure_memory(copies, folder, at=()):
    """Megabytes of the largest worker, and of the graders when `at` submissions are done."""
    source = class_of(copies, notebook(solved().values(), mlcourse={"exercises": KEY}), folder / "in")
    command = list(map(str, grade_command(source, folder / "out", 1)))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch = MemoryWatch(process.pid)
    watch.start()
    graders, begin = {}, time.perf_counter()
    for number in at:
        while process.poll() is None and done_so_far(folder / "out/gradebook.sqlite") < number:
            time.sleep(0.05)
        graders[number] = watch.graders >> 20
        say(f"{number} submissions after {time.perf_counter() - begin:.0f} s: {graders[number]} MB")
    if process.wait() != 0:
        sys.exit("the run whose memory is measured failed")
    expect_full_marks(read_grades(folder / "out/grades.csv"), copies)
    return {"worker": watch.worker >> 20, "graders": graders, "seconds": round(time.perf_counter() - begin, 1)}


def done_so_far(gradebook):
    try:
        with sqlite3.connect(f"file:{gradebook}?mode=ro", uri=True) as book:
            return book.execute("SELECT count(*) FROM submissions").fetchone()[0]
    except sqlite3.Error:
        return 0


def measure_first_check(times):
    """Seconds of the first check in a fresh notebook kernel, with all imports that it needs."""
    from jupyter_client.manager import start_new_kernel

    code = f"import numpy as np\nfrom mlcourse.exercises import check\n{solved()['unit_vector']}\nassert check(unit_vector).passed"
    found = []
    for _ in range(times):
        variables = {**os.environ, "MLCOURSE_PROGRESS": os.devnull}
        manager, client = start_new_kernel(env=variables, stderr=subprocess.DEVNULL)
        begin = time.perf_counter()
        reply = client.execute_interactive(code, output_hook=lambda message: None, timeout=60)
        found.append(time.perf_counter() - begin)
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        if reply["content"]["status"] != "ok":
            sys.exit(f"the first check failed: {reply['content']}")
    return round(statistics.median(found), 3)


def others_busy(seconds=2):
    """How many cores other programs use just now."""
    begin = psutil.cpu_times()
    time.sleep(seconds)
    end = psutil.cpu_times()
    return round((sum(end) - sum(begin) - (end.idle - begin.idle) - (end.iowait - begin.iowait)) / seconds, 2)


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    packages = {name: version(name) for name in ("mlcourse", "numpy", "torch") if name != "torch" or has_torch()}
    return {
        "date": date.today().isoformat(),
        "command": shlex.join(["python", *sys.argv]),
        "machine": f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GiB, {platform.platform()}",
        "versions": {"python": platform.python_version(), **packages, "others": [*NBGRADER, *OTTER]},
        "cores busy before": others_busy(),
        "processor seconds": CLOCK.how,
    }


def has_torch():
    import importlib.util

    return importlib.util.find_spec("torch") is not None


def table(results):
    """The results as Markdown."""
    about, copies = results["about"], results["copies"]
    references = [name for name in ("nbgrader", "otter") if name in copies]
    lines = [
        f"# Grading, {about['date']}",
        "",
        f"{about['machine']}. {', '.join(f'{k} {v}' for k, v in about['versions'].items() if k != 'others')}; "
        f"{', '.join(about['versions']['others'])}. Other programs used {about['cores busy before']} cores when it began. "
        f"Processor seconds: {about['processor seconds']}. Command: `{about['command']}`",
        "",
        f"| one correct submission | wall s | CPU s |{''.join(f' {name} ÷ this, wall | {name} ÷ this, CPU |' for name in references)}",
        f"|:---|---:|---:|{'---:|---:|' * len(references)}",
    ]
    for name, own in copies.items():
        ratios = "".join(
            f" {copies[other]['wall'] / own['wall']:.1f} | {copies[other]['cpu'] / own['cpu']:.1f} |"
            for other in references
        )
        limit = LIMITS.get(name, {})
        cells = [f"{own[key]:.3f}" + (f" (≤ {limit[key]})" if key in limit else "") for key in ("wall", "cpu")]
        lines.append(f"| {name} | {' | '.join(cells)} |{ratios}")
    if "hostile" in results:
        lines += ["", "| one hostile submission (≤ 50 s) | wall s | CPU s | points of 52 |", "|:---|---:|---:|---:|"]
        lines += [
            f"| {n} | {h['wall']:.1f} | {h['cpu']:.1f} | {h['points']:g} |" for n, h in results["hostile"].items()
        ]
        lines += ["", f"- largest worker: {results['memory']['worker']} MB (≤ 250)"]
        lines += [f"- first check in a fresh kernel, imports included: {results['first check']} s (≤ 1.0)"]
    if "thousand" in results:
        sizes = ", ".join(f"{size} MB after {n}" for n, size in results["thousand"]["graders"].items())
        lines += [f"- 1,000 submissions with one job: {results['thousand']['seconds']} s; graders together {sizes}"]
    return "\n".join(lines) + "\n"


def say(text):
    print(text, file=sys.stderr, flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--copies", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--systems", nargs="+", choices=("mlcourse", "nbgrader", "otter"), help="default: those installed"
    )
    parser.add_argument("--setup", action="store_true", help="make the environments of nbgrader and otter-grader first")
    parser.add_argument("--quick", action="store_true", help="only the correct submissions, without torch")
    parser.add_argument("--thousand", action="store_true", help="also 1,000 submissions in one run")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    if options.setup:
        environment("nbgrader", NBGRADER)
        environment("otter", OTTER, locked=False)
    installed = ["mlcourse", *(name for name in ("nbgrader", "otter") if python_of(name).exists())]
    options.systems = options.systems or installed
    if missing := [name for name in options.systems if name not in installed]:
        parser.error(f"{' and '.join(missing)} not installed: add --setup")
    options.torch = has_torch() and not options.quick
    results = {"about": machine()}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        results["copies"] = measure_copies(options, folder)
        if not options.quick:
            results["hostile"] = measure_hostile(folder)
            results["memory"] = measure_memory(5, folder / "memory")
            results["first check"] = measure_first_check(5)
        if options.thousand:
            results["thousand"] = measure_memory(1000, folder / "thousand", at=(100, 500, 1000))
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"grading-{results['about']['date']}"
    path.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
