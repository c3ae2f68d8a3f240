"""The student's side: holds the student's code and calls it when the grader asks.

It is started by `mlcourse.grading.session`, inside the sandbox, as a program of its own. Nothing that it says is believed except as plain
data: the grader computes the marks. A message is four bytes of length and that many bytes of JSON.
"""

import __future__

import ast
import contextlib
import io
import json
import linecache
import os
import re
import signal
import site
import struct
import sys
import types

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\S\n]*([^\n]*)\n?")
_RUN_THE_CELL = ("time", "timeit", "capture", "prun", "memit", "snakeviz")
_ASSIGNED = re.compile(r"([\w.,\s]+=)\s*[%!].*")
_TIMED = re.compile(r"([\w.,\s]+=\s*|\s*)%time\s+(.+)")
_COMMAND = re.compile(r"(\s*)([%!?].*|.*\?\s*)")
_ANNOTATIONS = __future__.annotations.compiler_flag
_COURSE_CALLS = ("check", "hint", "progress")
MAX_TEXT = 20_000
_FOLDER = os.path.dirname(os.path.abspath(__file__))


class OutOfTime(BaseException):
    """Raised in the student's code when its time is up."""


class Channel:
    """The two pipes to the grader, out of the way of the student's own input and output."""

    def __init__(self):
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)

    def receive(self):
        size = struct.unpack(">I", self._read(4))[0]
        return json.loads(self._read(size))

    def send(self, message):
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data)) + data
        while data:
            data = data[os.write(self._out, data) :]

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = os.read(self._in, size - len(data))
            if not piece:
                os._exit(0)
            data += piece
        return data


def limit_resources(limits):
    """Set this process's limits, which its children inherit; what all use together is limited from outside."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(number, (value, value))


def parse_cell(source):
    """Parse a cell as Jupyter reads it: with magic commands, commands for the system, and an indentation of the whole."""
    source = _without_common_indentation(source.lstrip("\ufeff"))
    magic = _CELL_MAGIC.match(source)
    if magic and magic[1] in ("writefile", "file"):
        return _writing(magic[2], source[magic.end() :])
    if magic and magic[1] not in _RUN_THE_CELL:
        return ast.parse("")
    lines = source.split("\n")
    while True:
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines) or not _replace_command(lines, number):
                raise


def _without_common_indentation(source):
    """Take the indentation of the first line from all lines that have it."""
    found = re.match(r"(?:[ \t]*\n)*([ \t]+)\S", source)
    if found is None:
        return source
    return "\n".join(line.removeprefix(found[1]) for line in source.split("\n"))


def _writing(arguments, text):
    """What a cell does whose magic command writes it into a file."""
    words = arguments.split()
    mode = "a" if words[:1] in (["-a"], ["--append"]) else "w"
    return ast.parse(f"open({(words or [''])[-1]!r}, {mode!r}).write({text!r})")


def _replace_command(lines, number):
    """Replace a line that only Jupyter understands, with the lines that continue it; False if it is no such line."""
    line = lines[number]
    for pattern, replacement in ((_TIMED, r"\1\2"), (_ASSIGNED, r"\1 None"), (_COMMAND, r"\1pass")):
        if pattern.fullmatch(line):
            lines[number] = pattern.sub(replacement, line)
            while line.endswith("\\") and number + 1 < len(lines):
                number += 1
                line, lines[number] = lines[number], ""
            return True
    return False


def without_course_calls(tree):
    """Drop what a cell asks of the course's own checks: here the grader asks."""

    def is_course_call(node):
        if isinstance(node, ast.ImportFrom):
            return (node.module or "").startswith(("mlcourse.exercises", "mlcourse.grading"))
        call = node.value if isinstance(node, ast.Expr) else None
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _COURSE_CALLS

    tree.body = [node for node in tree.body if not is_course_call(node)]
    return tree


def definitions_only(tree):
    """Keep imports, functions and classes: what a cell must leave behind if the rest of it ended the program."""
    kept = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    tree.body = [node for node in tree.body if isinstance(node, kept)]
    return tree


def to_read(answer):
    """What a person is shown of a manual answer: a text, or the bytes of a PNG image where it is, or draws, a Matplotlib figure."""
    shown = answer() if callable(answer) else answer
    shown = getattr(shown, "figure", shown)  # of axes, and of a figure itself
    if hasattr(shown, "savefig"):
        file = io.BytesIO()
        shown.savefig(file, format="png", dpi=100)
        return file.getvalue()
    text = "" if shown is None or shown is Ellipsis else str(shown)
    return "" if text.strip() in ("...", "…") else text[:MAX_TEXT]


class Shell:
    """Stands for Jupyter's own object: everything that a cell asks of it does nothing."""

    def __getattr__(self, name):
        return lambda *arguments, **options: None


class Student:
    """The student's names, and what can be done with them.

    Parameters
    ----------
    codec : module
    names : dict
        Where the cells run: those of the module ``__main__``.
    """

    def __init__(self, codec, names):
        self._codec = codec
        self._names, self._bound_by, self._flags = names, {}, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._names.update({"__name__": "__main__", "display": print, "get_ipython": Shell})
        self._names.update({name: lambda *arguments, **options: None for name in _COURSE_CALLS})

    def run(self, source, number, definitions):
        tree = without_course_calls(parse_cell(source))
        if definitions:
            tree = definitions_only(tree)
        name = f"<cell {number}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        before = dict(self._names)
        try:
            self._run_statements(tree.body, name)
        finally:
            self._restore_later_names(before, number)
        return {}

    def _run_statements(self, statements, name):
        """Run each statement; one that fails costs only itself, but those after it can only add names, not change any."""
        first = None
        for statement in statements:
            known = dict(self._names) if first else {}
            try:
                self._run_statement(ast.Module([statement], []), name)
            except OutOfTime:
                raise
            except BaseException as error:
                first = first or error
            self._names.update(known)
        if first is not None:
            raise first

    def _run_statement(self, module, name):
        code = compile(module, name, "exec", flags=self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _ANNOTATIONS
        waiting = eval(code, self._names)
        if waiting is not None:  # the statement has an await
            import asyncio

            asyncio.run(waiting)

    def _restore_later_names(self, before, number):
        """A cell that is run once more must not replace what a later cell has defined."""
        for name, value in list(self._names.items()):
            if name in before and before[name] is value:
                continue
            if name in before and self._bound_by.get(name, 0) > number:
                self._names[name] = before[name]
            else:
                self._bound_by[name] = number

    def defined(self, names):
        """Which of `names` have something, and which of those can be called."""
        bound = [name for name in names if name in self._names]
        return {"names": bound, "callable": [name for name in bound if callable(self._names[name])]}

    def bind(self, name, value):
        """Give a name to data: an answer that another worker has read."""
        self._names[name] = self._codec.decode(value)
        return {}

    def read(self, name):
        return {"value": self._codec.encode(self._names[name])}

    def show(self, name):
        return {"value": self._codec.encode(to_read(self._names[name]))}

    def call(self, name, args, kwargs, use=None):
        args = [self._codec.decode(value) for value in args]
        kwargs = {key: self._codec.decode(value) for key, value in kwargs.items()}
        before = self._snapshot(args, kwargs)
        answer = self._names[name]
        value = self._driver(use)(answer, *args, **kwargs) if use else answer(*args, **kwargs)
        after = self._snapshot(args, kwargs)
        changed = [key for key in before if before[key] != after[key]]
        return {"value": self._codec.encode(value), "changed": changed}

    def _driver(self, source):
        """The function that uses an answer, from its source."""
        names = {"__name__": "use"}
        exec(compile(source, "<use>", "exec"), names)
        return names[ast.parse(source).body[0].name]

    def _snapshot(self, args, kwargs):
        named = {**{f"number {i + 1}": value for i, value in enumerate(args)}, **kwargs}
        return {key: json.dumps(self._codec.encode(value)) for key, value in named.items()}


def describe(error):
    """An exception as data: its name, text, line in the student's code, and the names of its classes."""
    line, text = "", ""
    with contextlib.suppress(BaseException):
        text = " ".join(str(error).split())[:500]
    trace = getattr(error, "__traceback__", None)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("<cell"):
            line = f" (in line {trace.tb_lineno} of its cell)"
        trace = trace.tb_next
    bases = [_name_of(base) for base in type.__dict__["__mro__"].__get__(type(error))][:20]
    return {"error": bases[0], "text": text, "line": line, "bases": bases}


def _name_of(kind):
    """The name of a class, whatever its metaclass says."""
    return type.__dict__["__name__"].__get__(kind)[:80]


def answer(student, request):
    """Do what the grader asks within the time it allows; return what happened, as data."""
    operations = {name: getattr(student, name) for name in ("run", "defined", "bind", "read", "show", "call")}
    seconds = request["seconds"]

    def out_of_time(*_):
        raise OutOfTime(f"it ran longer than {seconds:g} s")

    try:
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGPROF, out_of_time)  # the grader ends what sleeps
            signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)
        return operations[request["do"]](**request["with"])
    except BaseException as error:
        return describe(error)
    finally:
        while hasattr(signal, "setitimer"):
            try:
                signal.setitimer(signal.ITIMER_PROF, 0)
                break
            except BaseException:
                continue


def main():
    own_process = os.getpid()
    channel = Channel()
    sys.path.insert(0, _FOLDER)
    import codec

    sys.path.remove(_FOLDER)
    limit_resources(channel.receive())
    site.sethelper()  # Python was started without its module site, which costs time
    site.setquit()
    sys.path.append("")  # what a cell writes into a file may be imported, but it hides nothing that is installed
    sys.modules["__main__"] = types.ModuleType("__main__")
    student = Student(codec, vars(sys.modules["__main__"]))
    while True:
        request = channel.receive()
        result = answer(student, request)
        if os.getpid() != own_process:  # the student's code forked, and this is the copy
            os._exit(0)
        try:
            channel.send({"id": request["id"], **result})
        except (TypeError, ValueError, RecursionError, MemoryError):
            channel.send(
                {
                    "id": request["id"],
                    "error": "ValueError",
                    "text": "the result cannot be sent",
                    "line": "",
                    "bases": [],
                }
            )


if __name__ == "__main__":
    main()
