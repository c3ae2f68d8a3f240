"""What the GPU's compiler makes of the course's kernels: nothing spills, and the instructions are those that a rung is about."""

import pytest

from mlcourse.gpu import kernels
from mlcourse.gpu.facts import compile_facts
from tests.gpu.wheels import needs_wheels

pytestmark = needs_wheels
SIZES = {"transpose": (4096, 4096), "matmul": (1024,) * 3, "softmax": (4096, 8192), "layer_norm": (4096, 8192)}
RUNGS = [rung for ladder in kernels.LADDERS.values() for rung in ladder]


def facts(kernel, arch="sm_90a", sizes=None):
    rung = kernels.rung(kernel)
    return compile_facts(rung.source, rung.instance(*(sizes or SIZES.get(rung.ladder, (1 << 20,)))), arch)


@pytest.mark.parametrize("arch", ["sm_75", "sm_80", "sm_90a"])
@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.kernel)
def test_nothing_spills_and_a_block_fits(rung, arch):
    found = facts(rung.kernel, arch)
    launch = rung.launch(*SIZES.get(rung.ladder, (1 << 20,)))
    assert found.spills == 0
    assert found.count("LDL") == found.count("STL") == 0
    assert found.occupancy(launch.block, launch.smem).blocks >= 1


@pytest.mark.parametrize(
    "rung", ["matmul_vectorized", "matmul_warp", "matmul_async", "softmax_registers", "layer_norm_registers"]
)
def test_edges_spill_neither(rung):
    odd = {"matmul": (33, 65, 17), "softmax": (7, 8191), "layer_norm": (7, 8191)}[kernels.rung(rung).ladder]
    assert facts(rung, sizes=odd).spills == 0


@pytest.mark.parametrize(
    ("kernel", "loads"),
    [
        ("copy_vectors", 4),
        ("vector_add_vectors", 4),
        ("saxpy_vectors", 4),
        ("transpose_vectors", 4),
        ("scan_look_back", 4),
        ("histogram_threads", 1),
        ("softmax_registers", 8),
        ("adamw_vectors", 4),
        ("matmul_vectorized", 2),
        ("matmul_warp", 8),
    ],
)
def test_vectors_are_loaded_in_one_instruction(kernel, loads):
    assert facts(kernel).count("LDG.E.128") == loads


def test_the_last_rung_of_the_matrix_product_copies_while_it_computes():
    found = facts("matmul_async")
    assert found.count("LDGSTS") > 0
    assert found.count("LDG") == 0
    assert (
        facts("matmul_async", "sm_75").count("LDGSTS") == 0
    )  # a T4 has no such instruction: the same source copies at once


@pytest.mark.parametrize(
    ("kernel", "work"), [("matmul_square", 8 * 64), ("matmul_vectorized", 8 * 64), ("matmul_warp", 16 * 128)]
)
def test_multiply_adds_of_one_step(kernel, work):
    assert facts(kernel).count("FFMA") == work


@pytest.mark.parametrize(("kernel", "share"), [("matmul_warp", 0.92), ("matmul_async", 0.90)])
def test_nearly_every_instruction_of_the_main_loop_multiplies_and_adds(kernel, share):
    loops = main_loops(facts(kernel).sass)
    ffma = [sum(line.startswith("FFMA") for line in loop) / len(loop) for loop in loops if len(loop) > 2000]
    assert max(ffma) > share


def test_two_blocks_of_the_last_rung_fit_on_a_multiprocessor():
    launch = kernels.rung("matmul_async").launch(1024, 1024, 1024)
    assert facts("matmul_async").occupancy(launch.block, launch.smem).blocks == 2


def main_loops(sass):
    """The instructions between each label and a later jump back to it."""
    lines = [line for line in sass.splitlines() if not line.startswith("//")]
    labels = {line[:-1]: number for number, line in enumerate(lines) if line.endswith(":")}
    for number, line in enumerate(lines):
        if "BRA" in line and "`(" in line:
            begin = labels.get(line.split("`(")[1].split(")")[0], number)
            if begin < number:
                yield [one for one in lines[begin:number] if one.endswith(";")]
