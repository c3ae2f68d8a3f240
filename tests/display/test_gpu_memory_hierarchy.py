"""The pictures and tables of the memory hierarchy show what they are given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlcourse.display import gpu_memory_hierarchy as draw
from mlcourse.gpu import Kernel, KernelError
from mlcourse.gpu.executor.profile import LineCount, Profile
from mlcourse.gpu.facts import Facts


@pytest.fixture
def ax():
    return Figure().subplots()


def profile(*lines):
    return Profile(tuple(LineCount(1, *line, bytes=0) for line in lines), (), None, "", "k")


COPY = profile(("load", "global", "x", 4, 10, 40, 40), ("store", "global", "y", 4, 10, 40, 40))
TURN = profile(
    ("load", "global", "x", 4, 10, 40, 40),
    ("store", "global", "y", 4, 10, 320, 40),
    ("store", "shared", "tile", 4, 10, 10, 10),
    ("load", "shared", "tile", 4, 10, 320, 10),
)


def test_counts_are_per_request_and_in_bytes():
    counts = draw.count_table({"copy": COPY, "turn": TURN})
    assert counts["copy"] == {"load": 4, "store": 4, "passes": None, "bytes": 2560, "ideal": 2560}
    assert counts["turn"] == {"load": 4, "store": 32, "passes": 16.5, "bytes": 11520, "ideal": 2560}


def test_counts_show_themselves_as_a_table():
    counts = draw.count_table({"copy": COPY, "turn": TURN})
    head, rule, *rows = counts._repr_markdown_().splitlines()
    assert head.startswith("| kernel | sectors per load |")
    assert rule.count("---:") == 6
    assert rows == ["| `copy` | 4 | 4 | – | 3 | 3 | 1 |", "| `turn` | 4 | 32 | 16.50 | 12 | 3 | 4.50 |"]
    assert [line.split()[0] for line in repr(counts).splitlines()] == ["kernel", "copy", "turn"]


def test_levels_become_wider_from_top_to_bottom(ax):
    draw.draw_hierarchy(ax, [("registers", "each thread", "1 KB"), ("cache", "all", "1 MB"), ("memory", "all", "1 GB")])
    widths = [patch.get_width() for patch in ax.patches[::2]]
    assert widths == sorted(widths)
    assert [text.get_text() for text in ax.texts if text.get_text()][::2] == ["registers", "cache", "memory"]


def test_counts_are_drawn_to_scale(ax):
    left, right = Figure().subplots(1, 2)
    draw.draw_counts((left, right), draw.count_table({"copy": COPY, "turn": TURN}))
    assert [bar.get_width() for bar in left.patches] == [0.00256, 0.01152]
    assert [line.get_xdata()[0] for line in left.lines] == [0.00256, 0.00256]
    assert [bar.get_width() for bar in right.patches] == [0, 16.5]
    assert "no shared memory" in [text.get_text() for text in right.texts]


def test_resident_blocks_take_their_share(ax):
    limits = {"warps": 64, "registers": 65536}
    draw.draw_resident(ax, limits, {"k": (3, {"warps": 8, "registers": 8192})})
    filled = [patch.get_width() for patch in ax.patches if patch.get_fill()]
    assert filled == [0.125] * 6
    assert [text.get_text() for text in ax.texts] == ["k: 38%", "k: 38%"]


def test_times_are_a_bar_and_its_extension(ax):
    draw.draw_times(
        ax, {"A": {"copy": (1e-3, 1e-3), "turn": (1e-3, 4e-3)}, "B": {"copy": (2e-3, 2e-3), "turn": (2e-3, 3e-3)}}
    )
    widths = [round(bar.get_width(), 9) for bar in ax.patches]
    assert widths == [1, 1, 0, 3, 2, 2, 0, 1]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["copy", "turn"]


class Compiled:
    def compile(self, arch):
        sass = "STG.E.128 [R2], R4;\nSTG.E [R2], R4;\nSTG.E [R6], R4;\n"
        return Facts("k", arch, 38, 12, 0, 0, 16384, ptx="", sass=sass)


def test_facts_of_the_compiler_are_a_table():
    facts = draw.compiler_facts({"k": Compiled()}, "sm_90")
    assert facts
    assert facts._repr_markdown_().splitlines()[-1] == "| `k` | 38 | 12 | 16384 | 1 | 2 |"
    assert repr(facts).splitlines()[-1].split() == ["k", "38", "12", "16384", "1", "2"]


def test_without_the_compiler_it_is_said(monkeypatch):
    class Missing:
        def compile(self, arch):
            raise KernelError("compiling for a GPU needs the Python package cuda, which is not installed")

    facts = draw.compiler_facts({"k": Missing()}, "sm_90")
    assert not facts
    assert "not installed here" in repr(facts)
    assert facts._repr_markdown_() == f"*{facts!r}*"


def test_other_errors_of_the_compiler_are_not_hidden():
    class Wrong:
        def compile(self, arch):
            raise KernelError("the limits of 'sm_1' are not in the table")

    with pytest.raises(KernelError, match="sm_1"):
        draw.compiler_facts({"k": Wrong()}, "sm_1")


def test_table_of_a_real_profile():
    source = "__global__ void spread(float* x, int s) { x[threadIdx.x * s] = 1; }"
    x = np.zeros(256, np.float32)
    spread = Kernel(source, "spread")
    counts = draw.count_table({s: spread.profile[1, 32](x, s) for s in (1, 2, 8)})
    assert [row["store"] for row in counts.rows.values()] == [4, 8, 32]
