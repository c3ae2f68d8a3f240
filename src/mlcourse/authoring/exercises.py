"""Solved exercises: read them, and take the solutions out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from mlcourse.authoring.errors import SourceError
from mlcourse.authoring.myst import Directive, parse_blocks, read_notebook

_START, _STARTER, _END, _KEEP = "# solution", "# starter", "# end solution", "#| "


def solved_cells(path):
    """Return the code cells of a solved notebook, as its author wrote them."""
    return [cell.source for cell in read_notebook(Path(path))[1] if cell.kind == "code"]


def take_out_solution(source, path, line):
    """Replace what stands between the solution markers by what the student gets.

    Parameters
    ----------
    source : str
        A code cell.
    path, line
        Where it stands, for errors.

    Returns
    -------
    str

    Examples
    --------
    >>> print(take_out_solution("def f(x):\\n    # solution\\n    return x\\n    # end solution", "x.md", 1))
    def f(x):
        # your code here
        raise NotImplementedError("f is not written yet")
    >>> print(take_out_solution("# solution\\nwhy = 'It has an outlier.'\\n# end solution", "x.md", 1))
    why = \"\"\"
    ...
    \"\"\"
    """
    out, block, start = [], None, 0
    for number, text in enumerate(source.split("\n"), line):
        mark = text.strip()
        if mark == _START:
            if block is not None:
                raise SourceError(
                    path, number, "`# solution` inside a solution", "end the one before with `# end solution`"
                )
            block, start = [], number
        elif mark == _END:
            if block is None:
                raise SourceError(path, number, "`# end solution` without a beginning", "put `# solution` before it")
            name, is_value = _name_of(source, path, line)
            out += _starter(block, text[: len(text) - len(text.lstrip())], name, is_value)
            block = None
        elif block is not None:
            block.append(text)
        else:
            out.append(text)
    if block is not None:
        raise SourceError(
            path, start, "`# solution` is never ended", "put `# end solution` after the last line of the solution"
        )
    return "\n".join(out)


def _starter(block, indent, name, is_value):
    stripped = [line.strip() for line in block]
    if _STARTER not in stripped and is_value:
        return [f'{indent}{name} = """', "...", '"""']
    if _STARTER not in stripped:
        return [f"{indent}# your code here", f'{indent}raise NotImplementedError("{name} is not written yet")']
    given = block[stripped.index(_STARTER) + 1 :]
    return [
        line.replace(_KEEP, "", 1) if _KEEP in line else line.replace(_KEEP.strip(), "", 1).rstrip() for line in given
    ]


def has_solution(source):
    """Tell whether a code cell has a solution in it."""
    return any(line.strip() in (_START, _END) for line in source.split("\n"))


def _name_of(source, path, line):
    """The function or class that the cell asks for, the last one it defines, or else the last value; and whether it is a value."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise SourceError(
            path, line + (error.lineno or 1) - 1, f"not valid Python: {error.msg}", "mend the cell"
        ) from None
    names = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    if names:
        return names[-1], False
    values = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    if values:
        return values[-1], True
    raise SourceError(
        path,
        line,
        "a solution cell must define the function or value that the exercise asks for",
        "define it in this cell",
    )


def exercise_cells(path, known):
    """Walk the cells of a solved notebook and say which exercise each belongs to.

    Parameters
    ----------
    path : Path
    known : sequence of str
        The names of the exercises that have checks, in their order.

    Yields
    ------
    cell : Cell
    announced : str or None
        The exercise that a text cell announces with ``:::{exercise} name``.
    asked : str or None
        The exercise whose function a code cell asks for.
    """
    announced_names, open_name = [], None
    for cell in read_notebook(path)[1]:
        announced = asked = None
        if "solution" in cell.tags:
            continue
        if cell.kind == "markdown":
            announced = _announced(cell, path)
            if announced:
                _expect_closed(open_name, path, cell.line)
                if announced not in known:
                    raise SourceError(
                        path, cell.line, f"the exercise {announced!r} has no check", "add it to EXERCISES of this set"
                    )
                announced_names.append(announced)
                open_name = announced
        elif has_solution(cell.source):
            asked, _ = _name_of(cell.source, path, cell.line)
            if asked != open_name:
                fix = f"put `:::{{exercise}} {asked}` before its statement; one function for each exercise"
                raise SourceError(path, cell.line, f"the function {asked!r} belongs to no announced exercise", fix)
            open_name = None
        yield cell, announced, asked
    _expect_closed(open_name, path, 1)
    if announced_names != list(known):
        missing = [name for name in known if name not in announced_names]
        problem = (
            f"no solution for {', '.join(missing)}"
            if missing
            else "the exercises are in another order than their checks"
        )
        raise SourceError(path, 1, problem, "solutions and EXERCISES must agree, in order")


def _announced(cell, path):
    blocks = parse_blocks(cell.source.split("\n"), cell.line, path)
    names = [block.argument for block in blocks if isinstance(block, Directive) and block.name == "exercise"]
    if len(names) > 1:
        raise SourceError(
            path,
            cell.line,
            f"two exercises in a row: {' and '.join(names)}",
            "each needs its code cell before the next",
        )
    return names[0] if names else None


def _expect_closed(open_name, path, line):
    if open_name is not None:
        raise SourceError(
            path, line, f"the exercise {open_name!r} has no code cell with `# solution`", "add it after the statement"
        )


def without_directive(source):
    """Return a text cell's source before and after its ``:::{exercise}`` directive."""
    return re.split(r"^:{3,}\{exercise\}.*\n+:{3,}[ ]*$", source, maxsplit=1, flags=re.MULTILINE)
