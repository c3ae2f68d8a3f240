"""Figures of a GPU are shown as a file has them, and where there is no file this is said."""

import json

import pytest

from mlcourse.display import gpu


def made_up(device="A device of this test", name="copy", rate=2e12):
    """A results file with round numbers that no GPU has produced."""
    row = {"error": 0.0, "ratio": {"library": 0.5}, "of_copy": 0.9, "of_roofline": 0.875, "flops_per_second": 3e12}
    rows = [
        {"name": "ours", "ours": True, "seconds": 0.002, "bytes_per_second": rate, **row},
        {"name": "library", "ours": False, "seconds": 0.001, "bytes_per_second": 2 * rate, **row},
    ]
    case = {"name": name, "label": "1000 numbers", "rows": rows}
    about = {"device": device, "date": "2001-02-03"}
    return {"about": about, "ceilings": {"copy": 4e12, "fp32": 5e13}, "cases": [case]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "_INSTALLED", tmp_path / "installed")
    monkeypatch.setattr(gpu, "_CHECKED_OUT", tmp_path)
    return tmp_path


def write(folder, name, results):
    (folder / name).write_text(json.dumps(results))


def test_without_a_file_it_says_that_nothing_was_recorded(folder):
    figures = gpu.device_figures("copy")
    assert not figures
    assert figures.records == [] == gpu.device_ceilings()
    for text in (repr(figures), figures._repr_markdown_()):
        assert "copy: no figures have been recorded yet on a GPU" in text
        assert "python -m benchmarks.gpu" in text


def test_a_table_has_device_date_and_the_numbers_of_the_file(folder):
    write(folder, "gpu-a.json", made_up())
    figures = gpu.device_figures("copy")
    assert figures
    text = figures._repr_markdown_()
    assert "on A device of this test, recorded 2001-02-03" in text
    assert "| ours | 2 ms | 2,000 | 0.50 | 88% |" in text
    assert "| library | 1 ms | 4,000 |" in text
    assert "GB/s" in repr(figures) and "TFLOP/s" not in repr(figures)
    assert gpu.device_ceilings() == [
        {"device": "A device of this test", "date": "2001-02-03", "ceilings": {"copy": 4e12, "fp32": 5e13}}
    ]


def test_a_matrix_product_is_counted_in_operations(folder):
    write(folder, "gpu-a.json", made_up(name="matmul 4096"))
    assert "| ours | 2 ms | 3 |" in gpu.device_figures("matmul 4096")._repr_markdown_()


def test_each_device_has_a_table_and_other_files_are_not_read(folder):
    write(folder, "gpu-b.json", made_up("B"))
    write(folder, "gpu-a.json", made_up("A"))
    write(folder, "grading.json", {})
    assert [record["device"] for record in gpu.device_figures("copy").records] == ["A", "B"]


def test_work_that_nobody_recorded_is_told_apart_from_no_file(folder):
    write(folder, "gpu-a.json", made_up())
    figures = gpu.device_figures("transpose")
    assert not figures
    assert "transpose: no figures of this work have been recorded yet on a GPU, only of copy" in repr(figures)


def test_an_installed_package_reads_the_results_it_carries(folder):
    (folder / "installed").mkdir()
    write(folder / "installed", "gpu-a.json", made_up("carried"))
    write(folder, "gpu-a.json", made_up("not this"))
    assert [record["device"] for record in gpu.device_ceilings()] == ["carried"]


def test_a_broken_file_is_named(folder):
    (folder / "gpu-a.json").write_text("{")
    with pytest.raises(ValueError, match=r"gpu-a\.json is not JSON"):
        gpu.device_figures("copy")
    write(folder, "gpu-a.json", {"about": {}, "cases": []})
    with pytest.raises(ValueError, match=r"gpu-a\.json has no ceilings\n  hint: write it again"):
        gpu.device_figures("copy")
