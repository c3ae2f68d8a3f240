"""Kernels are shown as they stand in the package, whole or in part."""

import pytest

from mlcourse.display.gpu_source import show_file, show_kernel
from mlcourse.gpu import kernels


def test_a_kernel_is_shown_with_its_comment_and_to_its_end():
    shown = show_kernel("sum", "sum_shuffles", "block_sum")
    assert shown.code.startswith("// 3. Shuffles.\n__global__ void sum_shuffles(")
    assert shown.code.endswith("\n}")
    assert shown.code.index("sum_shuffles(") < shown.code.index("float block_sum(")
    assert shown._repr_markdown_().startswith("```cuda\n")
    assert repr(shown).endswith("// mlcourse/gpu/kernels/sum.cu")


def test_a_function_of_one_line_is_shown_alone():
    code = show_kernel("scan", "word").code
    assert code.count("\n") == 0 or all(line.startswith("//") for line in code.split("\n")[:-1])
    assert code.endswith("}")


def test_bounds_before_the_name_do_not_hide_a_kernel():
    assert "__launch_bounds__" in show_kernel("sum", "sum_one_pass").code


def test_an_unknown_function_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"sum.cu has no function 'add'; it has sum_interleaved"):
        show_kernel("sum", "add")


def test_file_is_shown_from_the_package():
    whole = show_file("matmul_naive")
    assert whole.code == kernels.source("matmul_naive").rstrip()
    assert "```cuda\n" in whole._repr_markdown_()
    assert repr(whole).endswith("// mlcourse/gpu/kernels/matmul_naive.cu")


def test_missing_line_is_named():
    with pytest.raises(ValueError, match=r"no line of matmul_naive\.cu after line 0 contains 'no such text'"):
        show_file("matmul_naive", "no such text")
