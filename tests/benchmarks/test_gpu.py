"""The GPU benchmark, without a GPU: what it measures is right, its tables say what they should, and it says what it needs."""

import dataclasses
import json
import math
import shutil
import subprocess
import sys
import time
import types

import pytest
import torch
from benchmarks.gpu import cases, report, run, timing, validate
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.cases import CASES, Case, Setup, Work
from benchmarks.gpu.cub import SOURCE, compile_command
from benchmarks.report import table, write

from mlcourse.gpu import device as gpu
from mlcourse.gpu import kernels
from tests.conftest import ROOT


@pytest.fixture
def no_cub(monkeypatch):
    """CUB has no CPU: leave it out."""
    monkeypatch.setattr(cases, "cub", lambda *_: {})


def test_names_are_unique_and_targets_are_of_libraries_that_are_measured():
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case.targets) <= {"copy", "torch", "CUB", "cuBLAS"}
        assert all(quick <= full for quick, full in zip(case.quick, case.full, strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_implementation_is_right_to_float64(case, no_cub):
    setup = case.build("cpu", *case.tiny)
    errors = timing.check(setup)
    assert [name for name, error in errors.items() if not error <= setup.tolerance] == []
    assert [work.ours for work in setup.works.values()] == sorted(
        (work.ours for work in setup.works.values()), reverse=True
    )
    assert setup.bytes > 0


def test_a_wrong_result_and_an_unwritten_one_are_found():
    x = torch.randn(100)
    y = torch.empty(100)
    works = {
        "right": Work(lambda: y.copy_(x), y),
        "wrong": Work(lambda: y.copy_(2 * x), y),
        "unwritten": Work(lambda: y[:99].copy_(x[:99]), y),
    }
    setup = Setup(works, lambda: x.normal_(), lambda: x.double(), bytes=800)
    errors = timing.check(setup)
    assert errors["right"] == 0
    assert errors["wrong"] == pytest.approx(1)
    assert errors["unwritten"] == math.inf


CASE = Case("sum", "large", None, (100,), (10,), (1,), "CUB", {"CUB": 1.0, "copy": 0.9}, climbs=True)
CEILINGS = {"copy": 4e12, "fp32": 6e13}


def results(seconds, errors=None, case=CASE):
    """What is found of a case whose implementations always take these seconds."""
    works = {name: Work(None, None, ours=name.startswith("ours")) for name in seconds if name != timing.YARDSTICK}
    setup = Setup(works, None, None, bytes=4_000_000_000, flops=1_000_000)
    repeats = [{name: [t, t * 1.5, t] for name, t in seconds.items()}, {name: [t] * 3 for name, t in seconds.items()}]
    return report.case_results(case, case.full, setup, errors or dict.fromkeys(works, 0.0), repeats, CEILINGS)


SECONDS = {"ours 1": 0.004, "ours 2": 0.00125, "torch": 0.0015, "CUB": 0.00125, timing.YARDSTICK: 0.001}


def test_ratios_and_shares():
    found = results(SECONDS)
    first, best, library, _ = found["rows"]
    assert best["seconds"] == 0.00125
    assert best["medians"] == [0.00125, 0.00125]
    assert best["ratio"] == {"torch": pytest.approx(1.2), "CUB": 1}
    assert best["of_copy"] == pytest.approx(0.8)
    assert best["of_roofline"] == pytest.approx(4e9 / 4e12 / 0.00125)
    assert best["bytes_per_second"] == pytest.approx(3.2e12)
    assert (first["ours"], library["ours"]) == (True, False)
    assert found["missed"] == ["ours 2 reaches 0.800 of the copy bandwidth; the target is 0.9"]


def test_what_is_wrong_or_slower_than_the_rung_before_is_said():
    seconds = SECONDS | {"ours 2": 0.005}
    found = results(seconds, errors={"ours 1": 0.1, "ours 2": 0.0, "torch": math.nan, "CUB": 0.0})
    text = "; ".join(found["missed"])
    assert "ours 1 is wrong: error 1.0e-01" in text
    assert "torch is wrong: error nan" in text
    assert "ours 2 reaches 0.250 of CUB; the target is 1.0" in text
    assert "ours 2 is no faster than ours 1" in text


def whole(**more):
    about = {
        "date": "2026-01-01",
        "device": "NVIDIA H200",
        "driver": "580",
        "versions": {"torch": "2"},
        "how": "So.",
        "command": "c",
    }
    matmul = dataclasses.replace(CASE, name="matmul 8192", targets={}, climbs=False)
    return {"about": about, "ceilings": CEILINGS, "cases": [results(SECONDS), results(SECONDS, case=matmul)]} | more


def test_the_tables():
    text = report.markdown(whole())
    assert "# NVIDIA H200, 2026-01-01" in text
    assert "| kernel | ms | GB/s | × torch | × CUB | of copy | of roofline |" in text
    assert "| **ours 2** | 1.250 | 3200.0 | 1.200 | 1.000 | 0.800 | 0.800 |" in text
    assert "- missed: ours 2 reaches 0.800 of the copy bandwidth; the target is 0.9" in text
    assert "| kernel | ms | TFLOP/s | × torch | × CUB | of roofline |" in text
    assert "copy 4000 GB/s (read and written), float32 60.0 TFLOP/s" in text
    assert "Counters" not in text


def test_results_are_written_under_the_name_of_the_device(tmp_path):
    path = write(whole(), "text", tmp_path, report.name_of("NVIDIA H100 80GB HBM3"))
    assert path.name == "gpu-nvidia-h100-80gb-hbm3"
    assert json.loads((tmp_path / f"{path.name}.json").read_text())["cases"][0]["rows"][1]["name"] == "ours 2"
    assert (tmp_path / f"{path.name}.md").read_text() == "text"


def test_a_table_is_aligned():
    assert table(["a", "b:", "c"], [["x", "y", "1"]]).splitlines()[1] == "|:---|:---|---:|"


NCU = """==PROF== Connected to process 1
==PROF== Disconnected from process 1
"ID","Process ID","Kernel Name","smsp__inst_executed_op_shared_ld.sum","l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum","x__other.sum"
"","","","inst","",""
"0","1","void transpose_vectors<(bool)0>(const float *, float *, int, int)","2,048","512","n/a"
"1","1","copy(const float *, float *, int)","0","3,125","7"
"2","1","copy(const float *, float *, int)","0","9,999","7"
"""


def test_the_profilers_output_is_read():
    found = validate.read_ncu(NCU)
    assert set(found) == {"transpose_vectors", "copy"}
    assert found["copy"]["l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum"] == 3125
    assert "x__other.sum" not in found["transpose_vectors"]
    counters = validate.counters_of(found)
    assert counters["transpose_vectors"]["shared load requests"] == 2048
    assert counters["copy"]["global load requests"] == 3125  # the GPU has no counter of asynchronous copies here
    assert counters["copy"]["global store requests"] is None


def test_counters_are_compared():
    none = dict.fromkeys(validate.COUNTERS, 0)
    executor = {"copy": none | {"global load requests": 3125, "global load sectors": 100, "global store sectors": 100}}
    executor["matmul_tiled"] = none | {"shared load requests": 64}
    hardware = {"copy": none | {"global load requests": 3125, "global load sectors": 104, "global store sectors": None}}
    hardware["matmul_tiled"] = none | {"shared load requests": 40, "shared load passes": 7}
    rows = validate.compare(executor, hardware)
    verdicts = {(row["kernel"], row["counter"]): row["verdict"] for row in rows}
    assert verdicts == {
        ("copy", "global load requests"): "equal",
        ("copy", "global load sectors"): "within 5 %",
        ("copy", "global store sectors"): "not measured",
        ("matmul_tiled", "shared load requests"): validate.MERGED,
        ("matmul_tiled", "shared load passes"): validate.MERGED,
    }
    assert [row["counter"] for row in validate.unexplained(rows)] == ["global store sectors"]
    text = validate.validation_table(rows)
    assert "| copy | global load sectors | 100 | 104 | 0.962 | within 5 % |" in text
    assert "| copy | global store sectors | 100 | – | – | not measured |" in text
    assert text in report.markdown(whole(validation=rows))


def test_at_least_fifteen_kernels_are_compared_and_explanations_are_of_kernels_that_are():
    assert len(validate.SUBJECTS) >= 15
    for name, counter in validate.EXPLAINED:
        assert name in validate.SUBJECTS
        assert counter in validate.COUNTERS
    for name in validate.SUBJECTS:
        assert validate.first_step(name).steps[0].kernel.startswith(kernels.rung(name).kernel)


def test_the_executors_counters_of_a_copy():
    counters = validate.executor_counters("copy")
    assert counters["global load requests"] == counters["global store requests"] == 3125
    assert counters["global load sectors"] == counters["global store sectors"] == 12500
    assert counters["shared load passes"] == 0


def test_the_command_for_the_profiler_measures_the_kernels_and_nothing_else(tmp_path):
    command = validate.ncu_command("ncu", ["copy", "matmul_tiled"], tmp_path / "log")
    assert "regex:^(copy|matmul_tiled)$" in command
    assert command[-2:] == ["copy", "matmul_tiled"]
    assert "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum" in command[command.index("--metrics") + 1]


def test_without_the_profiler_the_message_says_where_it_was_looked_for(monkeypatch):
    monkeypatch.setattr(validate.shutil, "which", lambda name: None)
    monkeypatch.setattr(validate.glob, "glob", lambda pattern: [])
    monkeypatch.setattr(validate.Path, "exists", lambda path: False)
    with pytest.raises(SystemExit, match="Nsight Compute"):
        validate.find_ncu()


class Clock:
    """Stands for a CUDA event."""

    def __init__(self, enable_timing):
        self.seconds = None

    def record(self):
        self.seconds = time.perf_counter()

    def elapsed_time(self, end):
        return 1000 * (end.seconds - self.seconds)


@pytest.fixture
def rehearsal(monkeypatch, no_cub):
    """The whole command with the CPU in the place of a GPU, on tiny sizes."""
    properties = types.SimpleNamespace(name="Rehearsal", multi_processor_count=1, total_memory=1, L2_cache_size=1)
    small = [
        dataclasses.replace(case, full=case.tiny, quick=case.tiny, library="torch")
        for case in CASES
        if case.name in ("sum", "softmax")
    ]
    monkeypatch.setattr(run, "CASES", [dataclasses.replace(small[0], targets={}), small[1]])
    monkeypatch.setattr(run, "the_gpu", lambda: torch.device("cpu"))
    monkeypatch.setattr(gpu, "require_gpu", lambda: properties.name)
    monkeypatch.setattr(timing, "PEAK_ROUNDS", 1)
    monkeypatch.setattr(timing, "CEILING_BYTES", 1 << 16)
    for name, stand_in in {
        "Event": Clock,
        "synchronize": lambda: None,
        "current_device": lambda: 0,
        "empty_cache": lambda: None,
        "get_device_properties": lambda device: properties,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(timing, "captured", lambda run: run)


def test_a_rehearsal_of_the_whole_command(rehearsal, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(validate, "SUBJECTS", {name: validate.SUBJECTS[name] for name in ("copy", "transpose_padded")})
    monkeypatch.setattr(
        validate, "hardware_counters", lambda names: {name: validate.executor_counters(name) for name in names}
    )
    assert main(["--seconds", "0.01", "--validate", "--results", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "gpu-rehearsal.json").read_text(encoding="utf-8"))
    assert found["about"]["command"] == f"python -m benchmarks.gpu --seconds 0.01 --validate --results {tmp_path}"
    assert found["ceilings"]["fp32"] > 0
    assert [case["name"] for case in found["cases"]] == ["sum", "softmax"]
    assert [len(row["medians"]) for row in found["cases"][0]["rows"]] == [2] * 6
    assert {row["verdict"] for row in found["validation"]} == {"equal"}
    assert capsys.readouterr().out == (tmp_path / "gpu-rehearsal.md").read_text(encoding="utf-8") + "\n"
    # The comparison alone goes into the same file.
    assert main(["--only-validate", "--results", str(tmp_path)]) == 0
    again = json.loads((tmp_path / "gpu-rehearsal.json").read_text(encoding="utf-8"))
    assert again == found


def test_a_quick_run_writes_nothing(rehearsal, tmp_path):
    assert main(["softmax", "--quick", "--launches", "--seconds", "0.01", "--results", str(tmp_path)]) == 0
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_none_are_answered_with_those_that_are(rehearsal, capsys):
    with pytest.raises(SystemExit):
        main(["no such thing"])
    assert "there are sum, softmax" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("options", [[], ["--quick"], ["--validate"]])
def test_without_a_gpu_the_command_says_so(options, tmp_path):
    command = [sys.executable, "-m", "benchmarks.gpu", "--results", str(tmp_path), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs an NVIDIA GPU, and cannot run here" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc")
def test_cub_compiles_for_a_gpu_that_is_not_here(tmp_path):
    target = tmp_path / "cub.so"
    done = subprocess.run(compile_command("nvcc", "sm_90a", target), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    symbols = subprocess.run(["nm", "-D", target], capture_output=True, text=True, check=True).stdout
    functions = ["cub_sum", "cub_scan", "cub_histogram"]
    assert [name for name in functions if f" T {name}\n" not in symbols] == []
    assert all(name in SOURCE.read_text() for name in functions)
