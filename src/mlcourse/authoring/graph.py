"""Lay out the map of the course: a box for each chapter, in reading order, and arrows that run in the gaps between the boxes."""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS = 5
BOX_WIDTH, BOX_HEIGHT = 108, 60
GAP_X, MARGIN, HEADER = 14, 30, 84
WIDTH = COLUMNS * BOX_WIDTH + (COLUMNS - 1) * GAP_X + 2 * MARGIN
_PAD, _PITCH, _SIDE, _BEND = 8, 4, 6, 4
_LANES, _INNER_LANES = 6, 3
_PORT = 7  # arrows leave right and arrive left of the middle of a box, so that two boxes one above the other stay apart


def direct(needs):
    """Drop each need that another need implies.

    Parameters
    ----------
    needs : dict
        The chapters that each chapter needs, by slug; without circles.

    Returns
    -------
    dict

    Examples
    --------
    >>> direct({"a": [], "b": ["a"], "c": ["a", "b"]})
    {'a': (), 'b': ('a',), 'c': ('b',)}
    """
    before = everything_before(needs)
    return {slug: tuple(n for n in own if not any(n in before[other] for other in own)) for slug, own in needs.items()}


def everything_before(needs):
    """Return what each chapter needs, directly or not.

    Examples
    --------
    >>> everything_before({"a": [], "b": ["a"], "c": ["b"]})["c"] == {"a", "b"}
    True
    """
    before = {}

    def of(slug):
        if slug not in before:
            before[slug] = set().union(needs[slug], *(of(need) for need in needs[slug]))
        return before[slug]

    for slug in needs:
        of(slug)
    return before


def leads_to(needs):
    """Return which chapters need each chapter: the arrows the other way.

    Examples
    --------
    >>> leads_to({"a": [], "b": ["a"], "c": ["a"]})
    {'a': ('b', 'c'), 'b': (), 'c': ()}
    """
    return {slug: tuple(other for other, own in needs.items() if slug in own) for slug in needs}


@dataclass
class Layout:
    """Where everything is, in pixels at the usual size of letters.

    `boxes` has the upper left corner of each chapter, `heads` the top of each part, `arrows` for each pair (from, to) the
    corners of its line.
    """

    boxes: dict
    heads: list
    arrows: dict
    height: int


def lay_out(parts, needs):
    """Lay out the map.

    Parameters
    ----------
    parts : list of list of str
        The slugs of each part's chapters, in reading order.
    needs : dict
        What each chapter needs, by slug: chapters before it.

    Returns
    -------
    Layout
    """
    cells = _cells(parts)
    routes = {(a, b): _route(a, b, cells) for b, own in needs.items() for a in own}
    lanes, counts = _lanes_of([run for route in routes.values() for run in route])
    heads, tops, height = _place(parts, counts)
    bottoms = {gutter: top + 2 * _PAD + _PITCH * max(counts.get(gutter, 1) - 1, 0) for gutter, top in tops.items()}
    boxes = {slug: (_left(column), bottoms["gutter", part, row]) for slug, (part, row, column) in cells.items()}
    layout = Layout(boxes, heads, {}, height)
    for (a, b), route in routes.items():
        layout.arrows[a, b] = _corners(a, b, route, layout, tops, lanes)
    return layout


def outline(corners):
    """Return the path of a line with its bends rounded.

    Examples
    --------
    >>> outline([(0, 0), (0, 10), (20, 10)])
    'M0 0L0 6Q0 10 4 10L20 10'
    """
    path = [f"M{corners[0][0]} {corners[0][1]}"]
    for before, (x, y), after in zip(corners, corners[1:], corners[2:], strict=False):
        (x0, y0), (x1, y1) = _toward((x, y), before), _toward((x, y), after)
        path.append(f"L{x0} {y0}Q{x} {y} {x1} {y1}")
    return "".join([*path, f"L{corners[-1][0]} {corners[-1][1]}"])


def _toward(corner, other):
    """The point where a bend begins: a few pixels from the corner, at most half the way."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    step = min(_BEND, length / 2)
    x, y = corner[0] + dx / length * step, corner[1] + dy / length * step
    return f"{x:g}", f"{y:g}"


def _cells(parts):
    """Part, row within the part and column of each chapter."""
    return {slug: (part, *divmod(i, COLUMNS)) for part, slugs in enumerate(parts) for i, slug in enumerate(slugs)}


@dataclass(frozen=True)
class _Run:
    """A straight piece of an arrow: in which gap, whose line, from where to where."""

    gap: tuple
    line: tuple
    start: float
    end: float


def _route(a, b, cells):
    """The pieces of an arrow that lie in gaps.

    A gutter runs above each row of a part, and one below its last; a channel runs left of each column, and one right of the last.
    """
    (part_a, row_a, column_a), (part_b, row_b, column_b) = cells[a], cells[b]
    if (part_a, row_a, column_a + 1) == (part_b, row_b, column_b):
        return ()
    leave, arrive = _leave(column_a), _arrive(column_b)
    below, above = ("gutter", part_a, row_a + 1), ("gutter", part_b, row_b)
    if below == above:
        return (_Run(below, ("from", a), leave, arrive),)
    channel = column_b
    if part_a != part_b:  # only at the sides no title of a part is in the way
        channel = 0 if column_a + column_b < COLUMNS else COLUMNS
    x = _left(channel) - GAP_X / 2
    start, end = _order(part_a, row_a + 1), _order(part_b, row_b)
    out = _Run(below, ("from", a), leave, x)
    if start > end:  # in the same row: up again, to the box's left side
        return (out, _Run(("channel", channel), ("from", a), end, start))
    return (out, _Run(("channel", channel), ("from", a), start, end), _Run(above, ("to", b), x, arrive))


def _left(column):
    return MARGIN + column * (BOX_WIDTH + GAP_X)


def _leave(column):
    return _left(column) + BOX_WIDTH // 2 + _PORT


def _arrive(column):
    return _left(column) + BOX_WIDTH // 2 - _PORT


def _order(part, row):
    return part + row / 1000


def _lanes_of(runs):
    """The lane of each line in each gap: lines that would lie on each other get different ones, while there are any.

    Returns
    -------
    lanes : dict
        By gap and line.
    counts : dict
        How many lanes each gap has.
    """
    spans = {}
    for run in runs:
        low, high = sorted((run.start, run.end))
        lines = spans.setdefault(run.gap, {})
        known = lines.get(run.line, (low, high))
        lines[run.line] = (min(low, known[0]), max(high, known[1]))
    lanes, counts = {}, {}
    for gap, lines in spans.items():
        ends = []
        for line, (low, high) in sorted(lines.items(), key=lambda item: (item[1], item[0])):
            lane = next((i for i, end in enumerate(ends) if end < low), len(ends))
            if lane == _most(gap):
                lane = min(range(lane), key=ends.__getitem__)
            ends[lane : lane + 1] = [high]
            lanes[gap, line] = lane
        counts[gap] = len(ends)
    return lanes, counts


def _most(gap):
    """How many lanes there is room for."""
    return _INNER_LANES if gap[0] == "channel" and 0 < gap[1] < COLUMNS else _LANES


def _place(parts, counts):
    """Return the top of each part and of each gutter, and the height of the map."""
    heads, tops, y = [], {}, 0
    for part, slugs in enumerate(parts):
        heads.append(y)
        y += HEADER
        rows = -(-len(slugs) // COLUMNS)
        for row in range(rows + 1):
            gutter = ("gutter", part, row)
            tops[gutter] = y
            y += 2 * _PAD + _PITCH * max(counts.get(gutter, 1) - 1, 0) + (BOX_HEIGHT if row < rows else 0)
    return heads, tops, y


def _corners(a, b, route, layout, tops, lanes):
    """The corners of one arrow."""
    (xa, ya), (xb, yb) = layout.boxes[a], layout.boxes[b]
    if not route:
        return [(xa + BOX_WIDTH, ya + BOX_HEIGHT // 2), (xb, yb + BOX_HEIGHT // 2)]

    def y_of(run):
        return tops[run.gap] + _PAD + _PITCH * lanes[run.gap, run.line]

    leave, arrive = xa + BOX_WIDTH // 2 + _PORT, xb + BOX_WIDTH // 2 - _PORT
    corners = [(leave, ya + BOX_HEIGHT), (leave, y_of(route[0]))]
    if len(route) > 1:
        x = _channel_x(route[1].gap[1], lanes[route[1].gap, route[1].line])
        corners.append((x, y_of(route[0])))
    if len(route) == 2:
        return [*corners, (x, yb + BOX_HEIGHT // 2), (xb, yb + BOX_HEIGHT // 2)]
    if len(route) == 3:
        corners.append((x, y_of(route[2])))
    return [*corners, (arrive, corners[-1][1]), (arrive, yb)]


def _channel_x(channel, lane):
    if channel == 0:
        return MARGIN - _SIDE - _PITCH * lane
    if channel == COLUMNS:
        return WIDTH - MARGIN + _SIDE + _PITCH * lane
    return _left(channel) - GAP_X + _SIDE // 2 + _PITCH * lane
