"""The modules compute what the chapters say, and stay small."""

import itertools
import re

import numpy as np
import pytest

from mlcourse.data import load_diabetes
from mlcourse.explorables import NAMES, about, assets, modules, source
from mlcourse.math.vectors import distance, project
from mlcourse.python.broadcasting import broadcast_shape
from tests.conftest import ROOT
from tests.explorables.node import evaluate

LIMIT = 10_000
FOLDER = ROOT / "src/mlcourse/explorables"
each = pytest.mark.parametrize("name", NAMES)


def words(chapter, name):
    """What the page says in place of the figure."""
    text = (ROOT / f"book/{chapter}.md").read_text(encoding="utf-8")
    return re.search(rf":::{{explorable}} {name}\n(.*?)\n:::", text, re.DOTALL)[1]


@each
def test_a_module_is_small_and_stands_alone(name):
    text = source(name)
    assert len(text.encode()) <= LIMIT
    assert "import" not in text and "http://www.w3.org/2000/svg" in text
    assert re.findall(r"https?://(?!www\.w3\.org/)", text) == []
    assert evaluate(name, "typeof m.default.render") == "function"


def test_style_and_data_are_small():
    assert len(modules.style().encode()) <= LIMIT
    assert all((FOLDER / assets(name)).stat().st_size <= 8000 for name in NAMES if assets(name))


@each
def test_what_a_module_says_of_itself(name):
    facts = about(name)
    assert facts == evaluate(name, "m.about")
    assert facts["question"].endswith("?") and len(facts["question"]) < 140
    assert set(facts) - {"below"} == {"title", "question", "width", "height", "panel"}


def test_every_module_is_listed():
    files = {path.stem for path in FOLDER.glob("*.mjs")} - {"kit"}
    assert files == set(NAMES)


def test_a_module_brings_only_the_parts_of_the_kit_that_it_uses():
    assert "function slider" in source("gradient-descent")
    assert "function slider" not in source("digit") and "function handle" not in source("digit")


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="did you mean 'digit'"):
        source("digits")
    with pytest.raises(ValueError, match="there are projection"):
        about("x")


def test_projection_is_the_package_s():
    rng = np.random.default_rng(0)
    cases = [
        {"u": rng.normal(size=2).tolist(), "x": rng.normal(size=2).tolist(), "t": float(rng.normal())}
        for _ in range(50)
    ]
    for case, found in zip(cases, evaluate("projection", "cases.map(m.measure)", cases=cases), strict=True):
        u, x = np.array(case["u"]), np.array(case["x"])
        assert np.allclose(found["best"] * u, project(x, u))
        assert np.isclose(found["distance"], distance(x, case["t"] * u))
        assert np.isclose(found["product"], u @ (x - case["t"] * u))


def test_projection_words():
    text = words("math/vectors", "projection")
    cases = [{"u": [4, 2], "x": [2, 3], "t": t} for t in (0.2, 0.7)]
    start, best = evaluate("projection", "cases.map(m.measure)", cases=cases)
    assert f"distance is {start['distance']:.2f}" in text and f"dashed arrow is {start['product']:.0f}." in text
    assert f"distance is {best['distance']:.2f}, the dot product is 0" in text
    assert best["found"] and not start["found"] and abs(best["product"]) < 1e-9


def test_least_squares_is_numpy_s():
    rng = np.random.default_rng(1)
    tables = rng.uniform(0, 9, (30, 7, 2))
    fits = evaluate("least-squares", "tables.map((t) => [m.fit(t), m.loss(t, m.fit(t))])", tables=tables.tolist())
    for table, (line, loss) in zip(tables, fits, strict=True):
        slope, intercept = np.polyfit(*table.T, deg=1)
        assert np.allclose([line["slope"], line["intercept"]], [slope, intercept])
        assert np.isclose(loss, np.mean((table[:, 1] - slope * table[:, 0] - intercept) ** 2))


def test_least_squares_with_one_x_for_all_is_the_mean():
    assert evaluate("least-squares", "m.fit([[2, 1], [2, 5]])") == {"slope": 0, "intercept": 3}


def test_least_squares_words():
    text = words("classical/linear-regression", "least-squares")
    points = eval(re.search(r"const POINTS = (\[.*\]);", (FOLDER / "least-squares.mjs").read_text())[1])
    moved = [*points[:-1], [10, 0.5]]
    script = "[m.fit(p), m.loss(p, m.fit(p)), m.loss(p, m.through([6, 3])), m.fit(q), m.loss(q, m.fit(q))]"
    line, smallest, first, turned, larger = evaluate("least-squares", script, p=points, q=moved)
    ends = [line["intercept"] + line["slope"] * x for x in (0.5, 11.5)]
    assert f"can reach, {smallest:.2f}" in text and f"mean square is {first:.2f}, six times" in text
    assert f"from {ends[0]:.1f} at the left end to {ends[1]:.1f} at the right" in text
    assert abs(turned["slope"]) < 1e-9 and f"grows to {larger:.2f}:" in text
    assert 5.5 < first / smallest < 6.5


def hessians():
    """H, the best coefficients and the loss at zero of body mass index and blood pressure, centered and standardized."""
    data = load_diabetes()
    centered = data.X[:, [2, 3]] - data.X[:, [2, 3]].mean(axis=0)
    target = data.y - data.y.mean()
    for X in (centered, centered / centered.std(axis=0)):
        yield 2 / len(X) * X.T @ X, np.linalg.lstsq(X, target, rcond=None)[0], X, target


def test_gradient_descent_has_the_loss_of_the_chapter():
    tables = evaluate("gradient-descent", "m.TABLES")
    rng = np.random.default_rng(2)
    for table, (H, best, X, target) in zip(tables, hessians(), strict=True):
        assert np.allclose(table["H"], H[np.triu_indices(2)], rtol=1e-6)
        assert np.allclose(table["best"], best, rtol=1e-6)
        points = rng.normal(size=(20, 2)) * 10
        found = evaluate(
            "gradient-descent", "points.map((w) => m.excess(table, w))", table=table, points=points.tolist()
        )
        losses = np.mean((target - points @ X.T) ** 2, axis=1) - np.mean((target - X @ best) ** 2)
        assert np.allclose(found, losses, rtol=1e-5)


def test_gradient_descent_walks_as_numpy_does():
    for i, (H, _, X, target) in enumerate(hessians()):
        low, high = np.linalg.eigvalsh(H)
        eta = 0.9 * 2 / high
        w = np.array([3.0, -2.0])
        way = evaluate("gradient-descent", "m.descend(m.TABLES[i], [3, -2], eta)", i=i, eta=eta)
        for found in way:
            assert np.allclose(found, w, rtol=1e-5, atol=1e-5)
            w = w - eta * 2 / len(X) * X.T @ (X @ w - target)
        assert np.allclose(evaluate("gradient-descent", "m.eigenvalues(m.TABLES[i])", i=i), [low, high], rtol=1e-5)


def test_gradient_descent_words():
    text = words("classical/linear-regression", "gradient-descent")
    rates = [round(0.025 + 0.01 * k, 3) for k in range(118)]
    script = """rates.map((r) => m.TABLES.map((t) => {
      const eta = 2 * r / m.eigenvalues(t)[1];
      return [eta, m.excess(t, m.descend(t, [0, 0], eta).at(-1)), m.judge(t, eta)];
    }))"""
    centered, standardized = zip(*evaluate("gradient-descent", script, rates=rates), strict=True)
    low, high = evaluate("gradient-descent", "m.eigenvalues(m.TABLES[0])")
    best = min(centered, key=lambda row: row[1])
    assert f"approx {2 / high:.5f}$" in text and f"approx {2 / (low + high):.4f}$" in text
    assert f"at {best[0]:.4f}." in text and round(best[1]) == 2 and best[2].startswith("About the best")
    start = centered[rates.index(0.105)]
    assert round(start[0], 4) == 0.0005 and f"about {round(start[1], -1):.0f}." in text and start[2].startswith("Safe")
    assert min(row[1] for row in standardized) < 0.01 < best[1]
    assert round(evaluate("gradient-descent", "m.excess(m.TABLES[0], [0, 0])")) == 2348 and "2,348 above" in text
    for rate, row in zip(rates, centered, strict=True):
        assert row[2].startswith("It runs away") == (rate > 1)
        assert (row[1] > 2348) == (rate > 1.005)


def test_broadcasting_is_the_package_s():
    sizes = (1, 2, 3)
    shapes = [list(s) for n in (1, 2, 3) for s in itertools.product(sizes, repeat=n)]
    pairs = list(itertools.product(shapes, repeat=2))
    found = evaluate("broadcasting", "pairs.map(([a, b]) => m.together(a, b))", pairs=pairs)
    for (a, b), shape in zip(pairs, found, strict=True):
        try:
            expected = list(broadcast_shape(a, b))
        except ValueError:
            assert None in shape
        else:
            assert shape == expected


def test_broadcasting_finds_where_a_value_comes_from():
    rng = np.random.default_rng(3)
    cases = []
    for shape in [(3,), (1,), (3, 1), (1, 4), (2, 1, 4), (1, 3, 1)]:
        operand = rng.normal(size=shape)
        stretched = np.broadcast_to(operand, np.broadcast_shapes(shape, (2, 3, 4) if shape != (3,) else (2, 4, 3)))
        cases += [(list(shape), list(index), operand, stretched[index]) for index in np.ndindex(stretched.shape)]
    plain = [case[:2] for case in cases]
    origins = evaluate("broadcasting", "plain.map(([shape, index]) => m.origin(shape, index))", plain=plain)
    assert all(operand[tuple(at)] == value for at, (*_, operand, value) in zip(origins, cases, strict=True))


def test_broadcasting_words():
    text = words("python/numpy", "broadcasting")
    shapes = evaluate(
        "broadcasting", "[m.together([3, 1], [1, 4]), m.together([3, 1, 4], [4, 1]), m.together([3, 4], [3, 1])]"
    )
    assert [np.prod(shape) for shape in shapes] == [12, 48, 12] and "result has 48" in text
    assert evaluate("broadcasting", "m.origin([3, 1], [1, 2])") == [1, 0] and "`a[1, 2] + b[1, 0]`" in text
    assert evaluate("broadcasting", "m.together([3, 4], [3])") == [3, None]
