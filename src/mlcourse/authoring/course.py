"""The course as its sources describe it: `_config.yml`, `_toc.yml`, `book/plan.yml` and every chapter's front matter."""

from __future__ import annotations

import graphlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from mlcourse import __version__
from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.graph import direct, leads_to
from mlcourse.exercises import exercise_sets

GPU_WORDS = {"none": "no GPU needed", "helps": "a GPU helps", "needed": "needs a GPU"}
_LIMIT_SECONDS, _LIMIT_MEGABYTES = 60, 2000
_EXAMPLE = "see the front matter of book/math/vectors.md"


@dataclass(frozen=True)
class Facts:
    """What a chapter's front matter declares."""

    minutes: int
    prerequisites: tuple[str, ...]
    seconds: int
    megabytes: int
    gpu: str


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book; `slug` is part and name, `number` its place in the whole book."""

    slug: str
    title: str
    path: Path
    facts: Facts
    number: int

    @property
    def part(self):
        return self.slug.split("/")[0]

    @property
    def name(self):
        return self.slug.split("/")[1]


@dataclass(frozen=True)
class Part:
    """One part of the plan: its title, what it is for, and the titles of all its chapters, ready or not.

    `needs` has what the chapters that are not ready will need.
    """

    slug: str
    title: str
    summary: str
    planned: dict[str, str]
    needs: dict[str, tuple[str, ...]]


class Course:
    """Everything that is computed from the sources; building one validates them.

    Parameters
    ----------
    root : Path
        The folder that holds `_toc.yml`.

    Raises
    ------
    SourceError
        At the first fault, with file, line and what to do.
    """

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.config = self.read_yaml("_config.yml")
        self.repository = self.config["repository"]["url"].rstrip("/")
        self.branch = self.config["repository"]["branch"]
        self.site = self.config["html"]["baseurl"].rstrip("/")
        self.version = __version__
        self.chapters = self._chapters()
        self._check_prerequisites()
        self._check_plan()
        self._check_exercises()

    @cached_property
    def by_slug(self):
        return {chapter.slug: chapter for chapter in self.chapters}

    @cached_property
    def plan(self):
        parts = self.read_yaml("book/plan.yml")["parts"]
        return tuple(
            Part(
                p["slug"],
                p["title"],
                p["summary"],
                {f"{p['slug']}/{c['slug']}": c["title"] for c in p["chapters"]},
                {f"{p['slug']}/{c['slug']}": tuple(c.get("prerequisites", ())) for c in p["chapters"]},
            )
            for p in parts
        )

    @cached_property
    def titles(self):
        """The title of every chapter, ready or planned, by slug and in the plan's order."""
        planned = {slug: title for part in self.plan for slug, title in part.planned.items()}
        return {**planned, **{chapter.slug: chapter.title for chapter in self.chapters}}

    @cached_property
    def needs(self):
        """What every chapter needs, ready or planned, by slug; nothing that another need implies."""
        planned = {slug: needs for part in self.plan for slug, needs in part.needs.items()}
        return direct({**planned, **{chapter.slug: chapter.facts.prerequisites for chapter in self.chapters}})

    @cached_property
    def leads_to(self):
        """Which chapters, ready or planned, need each chapter."""
        return leads_to(self.needs)

    @cached_property
    def pages(self):
        """Every page, as `_toc.yml` names it, in reading order."""
        toc = self.read_yaml("_toc.yml")
        return (toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"]))

    @property
    def requirement(self):
        """What pip installs to get this version of the package from the repository."""
        return f"mlcourse @ git+{self.repository}@v{self.version}"

    def page_url(self, docname):
        return f"{self.site}/{docname}.html"

    def colab_url(self, path):
        slug = self.repository.split("github.com/")[-1]
        return f"https://colab.research.google.com/github/{slug}/blob/{self.branch}/{path}"

    def read_yaml(self, name):
        """Read one of the course's YAML files."""
        path = self.root / name
        try:
            return yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            raise SourceError(
                path, line, f"not valid YAML: {getattr(error, 'problem', error)}", "mend the line"
            ) from None

    def _chapters(self):
        toc = self.root / "_toc.yml"
        files = self.pages[1:]
        chapters = []
        for file in files:
            path = self.root / f"{file}.md"
            if not path.exists():
                raise SourceError(toc, line_of(toc, file), f"there is no {file}.md", "write it, or take the entry out")
            if _is_chapter(file):
                chapters.append(read_chapter(path, file.removeprefix("book/"), len(chapters) + 1))
        for path in sorted((self.root / "book").glob("*/*.md")):
            name = path.relative_to(self.root).with_suffix("").as_posix()
            if _is_chapter(name) and name not in files:
                raise SourceError(
                    path, 1, "this chapter is missing from _toc.yml", f"add `- file: {name}` to its part there"
                )
        return tuple(chapters)

    def _check_prerequisites(self):
        graph = {}
        for chapter in self.chapters:
            for slug in chapter.facts.prerequisites:
                if slug not in self.by_slug:
                    known = ", ".join(self.by_slug)
                    raise SourceError(
                        chapter.path,
                        line_of(chapter.path, slug),
                        f"the prerequisite {slug!r} does not exist",
                        f"the chapters are {known}",
                    )
            graph[chapter.slug] = chapter.facts.prerequisites
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            path = self.by_slug[error.args[1][0]].path
            loop = " → ".join(error.args[1])
            raise SourceError(
                path, line_of(path, "prerequisites"), f"prerequisites go in a circle: {loop}", "remove one"
            ) from None

    def _check_plan(self):
        path = self.root / "book/plan.yml"
        before = set()
        for part in self.plan:
            for slug, needs in part.needs.items():
                line = line_of(path, f"slug: {slug.split('/')[1]},")
                if needs and slug in self.by_slug:
                    message = f"{slug} is ready, so that its own front matter says what it needs"
                    raise SourceError(path, line, message, "remove `prerequisites` from this line")
                for need in needs:
                    if need not in before:
                        message = f"{slug} needs {need!r}, which does not come before it"
                        raise SourceError(path, line, message, "name a chapter that stands above it in the plan")
                before.add(slug)
        for chapter in self.chapters:
            if chapter.slug not in before:
                fix = f"add its slug and title to {path.relative_to(self.root)}"
                raise SourceError(chapter.path, 1, "this chapter is not in the plan of the course", fix)

    def _check_exercises(self):
        solved = {
            p.relative_to(self.root / "solutions").with_suffix("").as_posix(): p
            for p in (self.root / "solutions").glob("*/*.md")
        }
        checked = set(exercise_sets())
        for key, path in sorted(solved.items()):
            if key not in checked:
                raise SourceError(
                    path, 1, "these solutions have no checks", f"write src/mlcourse/exercises/{module_path(key)}"
                )
        for key in sorted(checked - set(solved)):
            path = self.root / "src/mlcourse/exercises" / module_path(key)
            raise SourceError(path, 1, "these checks have no solutions", f"write solutions/{key}.md")
        for chapter in self.chapters:
            if chapter.slug not in solved:
                raise SourceError(
                    chapter.path,
                    1,
                    "this chapter has no exercises",
                    f"write solutions/{chapter.slug}.md and its checks",
                )


def find_root(start=None):
    """Return the course's folder: the nearest one upward that holds `_toc.yml` and `book/`."""
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").exists() and (folder / "book").is_dir():
            return folder
    raise SourceError(
        start,
        1,
        "no course here: there is no _toc.yml in this folder or above it",
        "run this inside a clone of the repository",
    )


def module_path(key):
    """The file of an exercise set below src/mlcourse/exercises."""
    return key.replace("-", "_") + ".py"


def line_of(path, text):
    """The first line that contains `text`, from 1."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)


def read_front_matter(path):
    """Return the YAML between the first two lines of dashes."""
    text = Path(path).read_text(encoding="utf-8")
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if match is None:
        raise SourceError(path, 1, "there is no front matter", f"begin the file with it: {_EXAMPLE}")
    try:
        return yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 2 if getattr(error, "problem_mark", None) else 1
        raise SourceError(path, line, "the front matter is not valid YAML", "mend this line") from None


def read_chapter(path, slug, number):
    """Read and validate one chapter's front matter and title."""
    facts = read_front_matter(path).get("mlcourse")
    if not isinstance(facts, dict):
        raise SourceError(path, 1, "the front matter has no `mlcourse` section", f"add it: {_EXAMPLE}")
    for key in ("minutes", "prerequisites", "seconds", "megabytes", "gpu"):
        if key not in facts:
            raise SourceError(
                path, line_of(path, "mlcourse:"), f"the front matter lacks `mlcourse.{key}`", f"add it: {_EXAMPLE}"
            )
    for key, limit in (("minutes", 600), ("seconds", _LIMIT_SECONDS), ("megabytes", _LIMIT_MEGABYTES)):
        if type(facts[key]) is not int or not 0 < facts[key] <= limit:
            message = f"`{key}` must be a whole number from 1 to {limit}; it is {facts[key]!r}"
            raise SourceError(
                path,
                line_of(path, f"{key}:"),
                message,
                "measure it; a chapter beyond the limit needs a smaller example",
            )
    if facts["gpu"] not in GPU_WORDS:
        raise SourceError(
            path, line_of(path, "gpu:"), f"`gpu` is {facts['gpu']!r}", f"use one of {', '.join(GPU_WORDS)}"
        )
    if not isinstance(facts["prerequisites"], list):
        raise SourceError(
            path, line_of(path, "prerequisites:"), "`prerequisites` must be a list", "write [] if there are none"
        )
    prerequisites = tuple(facts["prerequisites"])
    return Chapter(slug, _title(path), path, Facts(**{**facts, "prerequisites": prerequisites}), number)


def _title(path):
    match = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise SourceError(path, 1, "this chapter has no title", "begin its text with a line `# Title`")
    return match[1].strip()


def _is_chapter(file):
    return file.count("/") == 2
