"""Derive `notebooks/` from `book/` and `exercises/` from `solutions/`, byte for byte the same every time."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

import nbformat

import mlcourse
from mlcourse.authoring.addresses import keep_addresses
from mlcourse.authoring.cards import card_line
from mlcourse.authoring.course import GPU_WORDS, read_front_matter
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.exercises import exercise_cells, take_out_solution, without_directive
from mlcourse.authoring.explorables import split_at_explorables
from mlcourse.authoring.myst import Cell, read_notebook
from mlcourse.authoring.notebook_form import NotebookForm, notes_text
from mlcourse.authoring.quizzes import split_at_quizzes
from mlcourse.exercises import exercise_set

_LEFT = "_build/derived.sha256"
_HOW = "Run an answer's cell, then the check below it. `hint(name)` gives a hint; the name of a text or a value stands in quotes."
_SETUP = """\
# Set-up: installs the course where it is missing (as on Colab) and does nothing where it is installed.
try:
    import mlcourse
except ModuleNotFoundError:
    %pip install -q "{requirement}"
    import mlcourse

mlcourse.setup()"""


def derive(course):
    """Derive every notebook.

    Returns
    -------
    dict of PurePosixPath to str
        The content of each file, by its path in the repository.

    Raises
    ------
    SourceError
        At the first source that cannot be derived, with file and line.
    """
    form = NotebookForm(course)
    files = {PurePosixPath("notebooks/index.ipynb"): _index(course)}
    for chapter in course.chapters:
        files[PurePosixPath(f"notebooks/{chapter.slug}.ipynb")] = _chapter(course, chapter, form)
        files[PurePosixPath(f"exercises/{chapter.slug}.ipynb")] = _exercises(course, chapter, form)
    return files


def sync(course, *, check=False):
    """Write the derived notebooks and the list of addresses, or only compare.

    Returns
    -------
    list of str
        The files that were stale: missing, different, incomplete, or derived from a source that is gone.
    """
    if not check and _is_as_left(course):
        return []
    files = derive(course)
    stale = []
    for path, content in files.items():
        target = course.root / path
        if not target.exists() or target.read_bytes() != content.encode():
            stale.append(str(path))
            if not check:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.encode())
    for folder in ("notebooks", "exercises"):
        for target in sorted((course.root / folder).rglob("*.ipynb")):
            path = PurePosixPath(target.relative_to(course.root).as_posix())
            if path not in files and ".ipynb_checkpoints" not in path.parts:
                stale.append(str(path))
                if not check:
                    target.unlink()
    stale += keep_addresses(course, check=check)
    if not check:
        (course.root / _LEFT).parent.mkdir(exist_ok=True)
        (course.root / _LEFT).write_text(_state(course.root), encoding="utf-8")
    return stale


def _is_as_left(course):
    """Tell whether all sources and all derived files are as the last run left them."""
    left = course.root / _LEFT
    return left.exists() and left.read_text(encoding="utf-8") == _state(course.root)


def _state(root):
    """Hash everything that deriving reads, its own code among it, and everything that it writes."""
    package = Path(mlcourse.__file__).parent
    folders = [root / name for name in ("book", "solutions", "notebooks", "exercises")] + [package]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    digest = hashlib.sha256()
    for path in [root / "_config.yml", root / "_toc.yml", *files]:
        if "__pycache__" not in path.parts:
            digest.update(f"{path}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _chapter(course, chapter, form):
    site = course.page_url(f"book/{chapter.slug}")
    links = [
        f"[Read on the site]({site})",
        f"[Open in Colab]({course.colab_url(f'notebooks/{chapter.slug}.ipynb')})",
        f"[Exercises](../../exercises/{chapter.slug}.ipynb)",
    ]
    cells = [_setup(course)]
    notes = {}
    for cell in _cells(chapter, form, notes):
        if cell.kind == "markdown":
            text = form.chapter_text(cell, chapter.path, notes)
            if text:
                cells.append(("markdown", text, {}))
        elif "mlcourse.setup()" not in cell.source:
            cells.append(("code", cell.source, _shown_metadata(cell)))
            if caption := form.figure_text(cell, chapter.path):
                cells.append(("markdown", caption, {}))
    if text := notes_text(notes):
        cells.append(("markdown", text, {}))
    _insert_below_title(cells, f"{' · '.join(links)}\n\n{_facts(course, chapter)}")
    return _notebook(chapter.slug, cells, {"chapter": chapter.slug, "version": course.version})


def _cells(chapter, form, notes):
    """The cells of a chapter, with its explorables and its questions as code."""
    for cell in read_notebook(chapter.path)[1]:
        for part in split_at_explorables(cell, chapter.path) if cell.kind == "markdown" else [cell]:
            yield from split_at_quizzes(part, chapter, form, notes) if part.kind == "markdown" else [part]


def _exercises(course, chapter, form):
    key = chapter.slug
    path = course.root / "solutions" / f"{key}.md"
    declared = (read_front_matter(path).get("mlcourse") or {}).get("exercises")
    if declared != key:
        raise SourceError(
            path, 1, f"`mlcourse.exercises` is {declared!r}", f"write `exercises: {key}` in the front matter"
        )
    exercises = {exercise.name: exercise for exercise in exercise_set(key)}
    cells = [_setup(course), ("code", "from mlcourse.exercises import check, hint, progress", {})]
    count, notes = 0, {}
    for cell, announced, asked in exercise_cells(path, list(exercises)):
        if announced:
            count += 1
            cells += _statement(cell, count, exercises[announced], form, path, notes)
        elif cell.kind == "markdown":
            cells.append(("markdown", form.chapter_text(cell, path, notes), {}))
        else:
            cells.append(("code", take_out_solution(cell.source, path, cell.line), {}))
            if asked:
                cells.append(("code", _check_call(exercises[asked]), {"tags": ["check"]}))
    cells.append(
        ("markdown", "## How far you are\n\nAll exercise sets, from the best result of each of your checks:", {})
    )
    cells.append(("code", "progress()", {"tags": ["check"]}))
    links = (
        f"[The chapter](../../notebooks/{key}.ipynb) · [Open in Colab]({course.colab_url(f'exercises/{key}.ipynb')})"
    )
    points = sum(exercise.points for exercise in exercises.values())
    minutes = sum(exercise.minutes for exercise in exercises.values())
    _insert_below_title(
        cells, f"{links}\n\n{len(exercises)} exercises · {points} points · about {minutes} minutes\n\n{_HOW}"
    )
    return _notebook(f"exercises/{key}", cells, {"exercises": key, "version": course.version})


def _check_call(exercise):
    name = exercise.name
    return f"check({name})" if exercise.answer in ("function", "class") else f'check("{name}", {name})'


def _statement(cell, number, exercise, form, path, notes):
    before, after = without_directive(cell.source)
    if before.strip():
        yield ("markdown", form.chapter_text(Cell("markdown", before, {}, cell.line), path, notes), {})
    offset = cell.line + cell.source[: len(cell.source) - len(after)].count("\n")
    statement = form.chapter_text(Cell("markdown", after, {}, offset), path, notes)
    yield ("markdown", f"## {number}. {exercise.title}\n\n*{card_line(exercise)}*\n\n{statement}", {})


def _setup(course):
    return ("code", _SETUP.format(requirement=course.requirement), {"tags": ["setup"]})


def _facts(course, chapter):
    facts = chapter.facts
    needs = ", ".join(f"[{course.by_slug[s].title}](../{s}.ipynb)" for s in facts.prerequisites) or "nothing before it"
    return f"{facts.minutes} minutes · needs {needs} · runs in {facts.seconds} s with {facts.megabytes} MB · {GPU_WORDS[facts.gpu]}"


def _insert_below_title(cells, text):
    """Put a line below the title, and the title first, before the set-up."""
    index = next(
        i for i, (kind, source, _) in enumerate(cells) if kind == "markdown" and re.search(r"^# ", source, re.MULTILINE)
    )
    kind, source, metadata = cells.pop(index)
    title, _, rest = source.partition("\n")
    cells.insert(0, (kind, f"{title}\n\n{text}\n{rest}".rstrip(), metadata))


def _shown_metadata(cell):
    """Keep what Jupyter and Colab understand: folded code stays folded."""
    if "hide-input" in cell.tags:
        return {"jupyter": {"source_hidden": True}, "cellView": "form"}
    return {}


def _index(course):
    lines = ["# The course in order", "", f"[The site]({course.site}/) has the same chapters to read."]
    parts = {part.slug: part.title for part in course.plan}
    current = None
    for chapter in course.chapters:
        if chapter.part != current:
            current = chapter.part
            lines += ["", f"## {parts[current]}", ""]
        lines.append(
            f"- [{chapter.title}]({chapter.slug}.ipynb) ({chapter.facts.minutes} minutes) · [exercises](../exercises/{chapter.slug}.ipynb)"
        )
    return _notebook("index", [("markdown", "\n".join(lines), {})], {"version": course.version})


def _notebook(name, cells, about):
    """Write a notebook whose bytes depend on its content alone."""
    seen, nodes = {}, []
    for kind, source, metadata in cells:
        key = f"{name}\n{kind}\n{source}"
        seen[key] = seen.get(key, 0) + 1
        cell_id = hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()[:12]
        node = nbformat.v4.new_code_cell(source) if kind == "code" else nbformat.v4.new_markdown_cell(source)
        node["id"] = cell_id
        node["metadata"] = nbformat.from_dict(metadata)
        nodes.append(node)
    metadata = {
        "colab": {"toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "mlcourse": about,
    }
    notebook = nbformat.v4.new_notebook(cells=nodes, metadata=metadata)
    notebook["nbformat_minor"] = 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"
