"""How long the site takes to build when it has many chapters: all pages, after no change, and after one edited sentence.

    python benchmarks/build.py --pages 60

The book is made for this, in a temporary folder: the chapters of the course and copies of them, with outputs that are already
there, for executing is not what is measured. Times are of the whole command `mlcourse book`, and of its steps, read from its last line;
take them on an idle machine. CPU seconds are those of all its processes. The table goes to benchmarks/results.
"""

import argparse
import json
import os
import platform
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from mlcourse.authoring.code_used import PackageCode
from mlcourse.authoring.course import Course
from mlcourse.authoring.execute import CACHE, KEY, key_of
from mlcourse.authoring.labels import Labels
from mlcourse.authoring.myst import read_notebook

ROOT = Path(__file__).resolve().parent.parent
COPIED = [
    *("book", "solutions", "src"),
    *("_config.yml", "_toc.yml", "requirements.lock", "package.json", "package-lock.json", ".npmrc", CACHE),
]
STEPS = ("deriving", "executing", "rendering", "optimizing", "indexing")
ALL, IDLE, EDITED = "all pages", "nothing changed", "one sentence changed"
NO_CHANGE, ONE_EDIT, PER_PAGE, PER_HUNDRED = 10, 12, 0.15, 3


def copy_course(folder):
    """Copy what a build reads; Node's packages are linked."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        elif source.exists():
            shutil.copy(source, target)
    # Chapters about the text of the book read it here: copies of chapters must not count in it.
    for part in (path for path in (ROOT / "book").iterdir() if path.name[0] != "_" and path.is_dir()):
        shutil.copytree(part, folder / "src/mlcourse/data/book" / part.name)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")


def add_chapters(folder, slugs, pages):
    """Add copies of the chapters in turn until there are `pages` of them; return the copies as pairs of old and new slug."""
    copies, labels = [], Labels(Course(folder))
    toc, plan = (yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("_toc.yml", "book/plan.yml"))
    for number in range(max(0, pages - len(slugs))):
        old = slugs[number % len(slugs)]
        new = f"{old}-{number // len(slugs) + 2}"
        copy_chapter(folder, old, new, [name for name, label in labels.items() if f"/{old}.html" in label.url])
        part = next(p for p in toc["parts"] if {"file": f"book/{old}"} in p["chapters"])
        part["chapters"].append({"file": f"book/{new}"})
        folder_name, slug = new.split("/")
        planned = next(p for p in plan["parts"] if p["slug"] == folder_name)
        planned["chapters"].append({"slug": slug, "title": slug})
        copies.append((old, new))
    for name, content in {"_toc.yml": toc, "book/plan.yml": plan}.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return copies


def copy_chapter(folder, old, new, labels):
    """Copy a chapter, its solutions and its checks; labels, which are unique in the book, get the number of the copy."""
    number = new.rpartition("-")[2]
    chapter = (folder / f"book/{old}.md").read_text(encoding="utf-8")
    for label in labels:
        chapter = re.sub(rf"(?<![\w-]){re.escape(label)}(?![\w-])", f"{label}-{number}", chapter)
    (folder / f"book/{new}.md").write_text(chapter, encoding="utf-8")
    solutions = (folder / f"solutions/{old}.md").read_text(encoding="utf-8")
    solutions = solutions.replace(f"exercises: {old}\n", f"exercises: {new}\n")
    (folder / f"solutions/{new}.md").write_text(solutions, encoding="utf-8")
    checks = folder / "src/mlcourse/exercises"
    shutil.copy(checks / f"{old.replace('-', '_')}.py", checks / f"{new.replace('-', '_')}.py")


def copy_outputs(folder, copies):
    """Keep the outputs of each chapter for its copies too."""
    cache, package = get_cache(str(folder / CACHE)), PackageCode(folder)
    for old, new in copies:
        executed = cache.get_cache_bundle(cache.match_cache_notebook(read_notebook(folder / f"book/{old}.md")[0]).pk).nb
        notebook, cells = read_notebook(folder / f"book/{new}.md")
        outputs = iter(cell for cell in executed.cells if cell.cell_type == "code")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                done = next(outputs)
                cell.outputs, cell.execution_count = done.outputs, done.execution_count
        data = {"execution_seconds": 1, KEY: key_of(package, cells)}
        bundle = CacheBundleIn(notebook, str(folder / f"book/{new}.md"), data=data)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def build(folder):
    """Run `mlcourse book`; return the seconds of each step, of the whole command, and of the processor."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "mlcourse.cli", "book"], cwd=folder, env=environment, capture_output=True, text=True
    )
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"the book could not be built:\n{done.stdout}{done.stderr}")
    if "executed: nothing" not in done.stdout and "nothing has changed" not in done.stdout:
        print("  outputs were not there and chapters were executed", file=sys.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    pages = re.search(r"optimized: (\d+) pages", done.stdout)
    return {**seconds_of_steps(done.stdout), "all": seconds, "CPU": cpu, "pages": int(pages[1]) if pages else 0}


def seconds_of_steps(output):
    """Read the seconds of each step.

    >>> seconds_of_steps("built in 3.5 s (deriving 1.0, rendering 2.5): index.html")
    {'deriving': 1.0, 'rendering': 2.5}
    """
    steps = re.search(r"(?:built|seen) in [\d.]+ s \((.*?)\)", output)[1].split(", ")
    return {step.split()[0]: float(step.split()[1]) for step in steps}


def fastest(folder, rounds, change=lambda number: None):
    """Build some times, each after a change; return the fastest."""
    runs = []
    for number in range(rounds):
        change(number)
        runs.append(build(folder))
    return min(runs, key=lambda run: run["all"])


def measure(folder, slugs, pages, rounds):
    build(folder)  # so that outputs are there
    copy_outputs(folder, add_chapters(folder, slugs, pages))
    build(folder)  # so that the notebooks are there
    edited = folder / f"book/{slugs[0]}.md"
    text = edited.read_text(encoding="utf-8")

    def forget(number):
        for path in (folder / "_build").iterdir():
            if path.name != Path(CACHE).name:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def edit(number):
        edited.write_text(f"{text}\nOne more sentence, the {number}th.\n", encoding="utf-8")

    return {
        ALL: fastest(folder, 1, forget),
        IDLE: fastest(folder, rounds),
        EDITED: fastest(folder, rounds, edit),
    }


def table(results):
    facts = results["about"]
    lines = [
        f"# Building the site, {facts['date']}",
        "",
        f"{facts['machine']}. Load before: {facts['load before']}. Command: `{facts['command']}`",
        "",
        f"| {facts['chapters']} chapters | pages written | s | {' | '.join(f'{step}, s' for step in STEPS)} | CPU, s |",
        "|:---" + "|---:" * 8 + "|",
    ]
    every, idle, edited = (results[name] for name in (ALL, IDLE, EDITED))
    for name, run in {ALL: every, IDLE: idle, EDITED: edited}.items():
        cells = [run["all"], *(run.get(step, 0) for step in STEPS), run["CPU"]]
        lines.append(f"| {name} | {run['pages']} | {' | '.join(f'{seconds:.1f}' for seconds in cells)} |")
    per_page = (every["rendering"] - edited["rendering"]) / (every["pages"] - edited["pages"])
    figures = [
        ("after no change", idle["all"], NO_CHANGE, "s"),
        ("after one edited sentence", edited["all"], ONE_EDIT, "s"),
        ("rendering, without start", per_page, PER_PAGE, "s a page"),
        ("optimizing", 100 * every["optimizing"] / every["pages"], PER_HUNDRED, "s for 100 pages"),
    ]
    lines += ["", "| | measured | at most | |", "|:---|---:|---:|:---|"]
    lines += [f"| {what} | {value:.2f} | {most} | {unit} |" for what, value, most, unit in figures]
    return "\n".join(lines) + "\n"


def about(chapters):
    return {
        "date": date.today().isoformat(),
        "command": shlex.join(["python", *sys.argv]),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}",
        "chapters": chapters,
        "load before": round(os.getloadavg()[0], 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=60, help="how many chapters the book has (default: 60)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each change is built; the fastest counts (default: 3)"
    )
    parser.add_argument("--folder", type=Path, help="make the book here and leave it (default: a temporary folder)")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mlcourse-build-"))
    folder.mkdir(parents=True, exist_ok=True)
    slugs = [chapter.slug for chapter in Course(ROOT).chapters]
    results = {"about": about(max(options.pages, len(slugs)))}
    try:
        copy_course(folder)
        results |= measure(folder, slugs, options.pages, options.rounds)
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    path = options.results / f"build-{results['about']['date']}"
    path.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
