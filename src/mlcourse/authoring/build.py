"""`mlcourse book`: derive, execute and build the site, in one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from mlcourse.authoring.addresses import write_redirects
from mlcourse.authoring.course import Course
from mlcourse.authoring.execute import ENVIRONMENT, execute
from mlcourse.authoring.offline import write_bundle
from mlcourse.authoring.optimize import ThemeError, optimize, prepare
from mlcourse.authoring.search import build_index
from mlcourse.authoring.stamp import stamp
from mlcourse.authoring.sync import sync
from mlcourse.authoring.unchanged import is_up_to_date, remember


def build(root):
    """Build the site into `_build/html` and say where it is.

    Parameters
    ----------
    root : Path
        The course's folder.

    Returns
    -------
    int
        The exit status: not 0 if a source is at fault or the site has a warning.
    """
    clock = _Clock()
    course = Course(root)
    if is_up_to_date(root, stamp(course)):
        clock.done("looking")
        print(f"nothing has changed, seen in {clock}: {root / '_build/html/index.html'}")
        return 0
    derived = sync(course)
    print(f"derived: {len(derived)} files written" if derived else "derived: all is up to date")
    clock.done("deriving")
    executed = execute(course)
    print(f"executed: {', '.join(executed)}" if executed else "executed: nothing, all outputs are kept")
    clock.done("executing")
    prepare(root)
    command = [sys.executable, "-m", "mlcourse.authoring.jupyter_book", "build", str(root), "-W", "--keep-going", "-q"]
    status = subprocess.run(command, cwd=root, env={**os.environ, **ENVIRONMENT}).returncode
    if status != 0:
        shutil.rmtree(root / "_build/.doctrees", ignore_errors=True)  # else the next build would not warn again
        print("the site was not built: every warning above is an error; each names its file and line", file=sys.stderr)
        return status
    clock.done("rendering")
    try:
        optimized = optimize(root, version := stamp(course))
    except ThemeError as error:
        print(error, file=sys.stderr)
        return 1
    clock.done("optimizing")
    indexed = build_index(root)
    write_redirects(course, root / "_build/html")
    clock.done("indexing")
    print(f"optimized: {len(optimized)} pages; search: " + (f"{indexed} pages indexed" if indexed else "up to date"))
    packed = write_bundle(course)
    clock.done("packing")
    if packed:
        print(f"offline copy: {packed.name}, {packed.stat().st_size / 1e6:.1f} MB")
    remember(root, version)
    print(f"built in {clock}: {root / '_build/html/index.html'}")
    return 0


class _Clock:
    """How long each step took."""

    def __init__(self):
        self._last, self._seconds = time.perf_counter(), {}

    def done(self, step):
        now = time.perf_counter()
        self._seconds[step], self._last = now - self._last, now

    def __str__(self):
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in self._seconds.items())
        return f"{sum(self._seconds.values()):.1f} s ({steps})"
