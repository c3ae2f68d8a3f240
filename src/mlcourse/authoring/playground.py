"""What the exercise pages load when a reader begins: an editor, Python for the browser, and the checks.

- `_static/exercises/editor.js`: CodeMirror in one file, by esbuild;
- `pyodide/<version>/`: Python itself, from the npm package `pyodide`;
- `_static/exercises/course.zip`: the part of this package that checks need;
- `_static/exercises/files.json`: where these are and how large.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

from mlcourse.authoring.needs import course_modules, module_files
from mlcourse.authoring.node import install_packages, node_program
from mlcourse.exercises import exercise_sets, find

LOCK = "node_modules/pyodide/pyodide-lock.json"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
NAMES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "scikit-learn": "scikit-learn",
    "pandas": "pandas",
    "statsmodels": "statsmodels",
    "torch": "PyTorch",
}
"""How packages are called in sentences; those that only come along with others have no name."""

_STATIC = "_static/exercises"
_EDITOR = Path(__file__).with_name("editor.mjs")
_PACKAGE = Path(__file__).parents[1]
_LONG_AGO = (2000, 1, 1, 0, 0, 0)


def packages(root):
    """Return the packages that Pyodide can load, by name, as its lock file describes them."""
    install_packages(root)
    return json.loads((root / LOCK).read_text(encoding="utf-8"))["packages"]


def is_text(name, code):
    """Tell whether an exercise asks for a text, from the cell that it hands out: ``name = "..."`` and nothing else.

    Examples
    --------
    >>> is_text("residual_report", "residual_report = '...'"), is_text("unit_vector", "def unit_vector(x): ...")
    (True, False)
    """
    body = ast.parse(code).body
    value = body[0].value if find(name).manual and len(body) == 1 and isinstance(body[0], ast.Assign) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def write(course, site, packages):
    """Write everything that exercise pages load into the site; what is there already is left alone.

    Parameters
    ----------
    course : Course
    site : str or Path
    packages : dict
        From `_config.yml`: the `address` of Pyodide's packages, and how many `megabytes` each has.

    Raises
    ------
    RuntimeError
        If the editor cannot be bundled; the message is esbuild's own.
    """
    install_packages(course.root)
    static = Path(site) / _STATIC
    static.mkdir(parents=True, exist_ok=True)
    version = json.loads((course.root / "node_modules/pyodide/package.json").read_text(encoding="utf-8"))["version"]
    core = Path(site) / "pyodide" / version
    _copy_core(course.root / "node_modules/pyodide", core)
    editor, code = bundle_editor(course.root), zip_course()
    (static / "editor.js").write_text(editor, encoding="utf-8")
    (static / "course.zip").write_bytes(code)
    files = {
        "python": f"../../pyodide/{version}/",
        "pythonBytes": sum((core / name).stat().st_size for name in CORE),
        "course": f"course.zip?v={_checksum(code)}",
        "editor": f"editor.js?v={_checksum(editor.encode())}",
        "packages": packages["address"].replace("{version}", version),
        "megabytes": packages["megabytes"],
        "names": NAMES,
    }
    (static / "files.json").write_text(json.dumps(files, indent=1), encoding="utf-8")


def bundle_editor(root):
    """Return CodeMirror and how the course uses it as one script, kept in `_build` for as long as nothing of it changes."""
    key = hashlib.sha256(_EDITOR.read_bytes() + (root / "package-lock.json").read_bytes()).hexdigest()[:16]
    kept = root / f"_build/editor-{key}.js"
    if not kept.exists():
        program = (
            'import { build } from "esbuild";\n'
            f"await build({{ entryPoints: [{json.dumps(str(_EDITOR))}], outfile: {json.dumps(str(kept))}, bundle: true, minify: true, "
            'format: "esm", target: "es2022", legalComments: "none", logLevel: "error", nodePaths: ["node_modules"] });'
        )
        command = [node_program(), "--input-type=module", "--eval", program]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the editor of the exercise pages could not be bundled:\n{done.stderr.strip()}")
    return kept.read_text(encoding="utf-8")


def zip_course():
    """Return the modules of this package that the checks of all exercises need, as the bytes of a zip."""
    sets = [f"mlcourse.exercises.{name.replace('/', '.').replace('-', '_')}" for name in exercise_sets()]
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for module in sorted(course_modules(["mlcourse.exercises.page", *sets])):
            path = module_files()[module]
            name = f"mlcourse/{path.relative_to(_PACKAGE).as_posix()}"
            file.writestr(zipfile.ZipInfo(name, _LONG_AGO), path.read_text(encoding="utf-8"), zipfile.ZIP_DEFLATED)
    return data.getvalue()


def _copy_core(source, target):
    """Copy Python, and remove what another version has left."""
    for other in target.parent.glob("*"):
        if other != target:
            shutil.rmtree(other)
    target.mkdir(parents=True, exist_ok=True)
    for name in CORE:
        old = target / name
        if not old.exists() or old.stat().st_size != (source / name).stat().st_size:
            shutil.copyfile(source / name, old)


def _checksum(data):
    return hashlib.sha256(data).hexdigest()[:8]
