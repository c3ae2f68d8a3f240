"""What was recorded on GPUs, for chapters that also run where there is none.

The figures come from the results files of ``python -m benchmarks.gpu`` and from nowhere else; a chapter types none of them.
"""

from __future__ import annotations

import json
from pathlib import Path

_INSTALLED = Path(__file__).parent / "results"
_CHECKED_OUT = Path(__file__).parents[3] / "benchmarks/results"
_NEEDED = ("about", "ceilings", "cases")
NOTHING = "no figures have been recorded yet on a GPU"


class DeviceFigures:
    """The figures of one kind of work, one record for each GPU; displays itself as tables.

    Attributes
    ----------
    case : str
        The name of the work.
    records : list of dict
        For each GPU: ``device``, ``date`` (year-month-day), ``ceilings`` and ``case``, as the benchmark wrote them. Empty where
        nothing was recorded; then the object is false.
    known : list of str
        The kinds of work of which figures have been recorded.
    """

    def __init__(self, case, records, known=()):
        self.case, self.records, self.known = case, records, list(known)

    def __bool__(self):
        return bool(self.records)

    def __repr__(self):
        if self.records:
            return "\n\n".join(
                f"{_title(record, '')}\n{_text_table(_cells(record['case']))}" for record in self.records
            )
        return self._nothing("", "")

    def _repr_markdown_(self):
        if self.records:
            return "\n\n".join(f"{_title(record, '**')}\n\n{_table(_cells(record['case']))}" for record in self.records)
        return self._nothing("*", "`")

    def _nothing(self, emphasis, code):
        text = f"{emphasis}{self.case}: {NOTHING}."
        if self.known:
            text = f"{emphasis}{self.case}: no figures of this work have been recorded yet on a GPU, only of {', '.join(self.known)}."
        return f"{text} With one, {code}python -m benchmarks.gpu{code} records them.{emphasis}"


def device_figures(case):
    """Show what was recorded on GPUs for one kind of work, with the name of the GPU and the date.

    Parameters
    ----------
    case : str
        The name of the work in ``benchmarks/gpu/cases.py``, such as ``"transpose"`` or ``"matmul 4096"``.

    Returns
    -------
    DeviceFigures
        A table for each GPU. Where nothing was recorded it says so.

    Raises
    ------
    ValueError
        If a results file is not what ``python -m benchmarks.gpu`` writes.

    Examples
    --------
    >>> figures = device_figures("no such work")
    >>> bool(figures)
    False
    """
    results = recorded_results()
    records = [
        {**_origin(result), "case": found}
        for result in results
        for found in result["cases"]
        if found["name"] == case and found["rows"]
    ]
    return DeviceFigures(case, records, dict.fromkeys(found["name"] for result in results for found in result["cases"]))


def device_ceilings():
    """Return what was recorded on GPUs as the most that they do.

    Returns
    -------
    list of dict
        For each GPU: ``device``, ``date`` and ``ceilings`` with ``copy`` in bytes a second, read and written together, and
        ``fp32`` in floating-point operations a second. Empty where nothing was recorded.

    Examples
    --------
    >>> all(record["ceilings"]["copy"] > 0 for record in device_ceilings())
    True
    """
    return [_origin(result) for result in recorded_results()]


def recorded_results(folder=None):
    """Read the results files of all GPUs.

    Parameters
    ----------
    folder : Path, optional
        Where they lie; by default ``benchmarks/results`` of the repository, which an installed package carries with it.

    Returns
    -------
    list of dict
        The contents of each ``gpu-*.json``, in the order of their names; empty if there is none.

    Raises
    ------
    ValueError
        If a file is not what ``python -m benchmarks.gpu`` writes.

    Examples
    --------
    >>> recorded_results(Path("nowhere"))
    []
    """
    if folder is None:
        folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKED_OUT
    return [_read(path) for path in sorted(folder.glob("gpu-*.json"))]


def _read(path):
    hint = "write it again with: python -m benchmarks.gpu"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error})\n  hint: {hint}") from None
    missing = [name for name in _NEEDED if name not in results]
    if missing:
        raise ValueError(f"{path} has no {' and no '.join(missing)}\n  hint: {hint}")
    return results


def _origin(result):
    about = result["about"]
    return {"device": about["device"], "date": about["date"], "ceilings": result["ceilings"]}


def _title(record, strong):
    return f"{strong}{record['case']['name']}, {record['case']['label']}, on {record['device']}, recorded {record['date']}{strong}"


def _cells(case):
    """The header of a table and its rows, as text."""
    computes = case["name"].startswith("matmul")
    libraries = list(case["rows"][0]["ratio"])
    header = ["", "time", "TFLOP/s" if computes else "GB/s", *(f"speed ÷ {name}" for name in libraries), "of roofline"]
    rows = []
    for row in case["rows"]:
        rate = row["flops_per_second"] / 1e12 if computes else row["bytes_per_second"] / 1e9
        ratios = [f"{row['ratio'][name]:.2f}" for name in libraries]
        rows.append(
            [row["name"], f"{1000 * row['seconds']:.3g} ms", f"{rate:,.4g}", *ratios, f"{row['of_roofline']:.0%}"]
        )
    return [header, *rows]


def _table(cells):
    header, *rows = (f"| {' | '.join(line)} |" for line in cells)
    return "\n".join([header, f"|:---|{'---:|' * (len(cells[0]) - 1)}", *rows])


def _text_table(cells):
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        [cell.rjust(w) if number else cell.ljust(w) for number, (cell, w) in enumerate(zip(line, widths, strict=True))]
        for line in cells
    )
    return "\n".join("  ".join(line).rstrip() for line in lines)
