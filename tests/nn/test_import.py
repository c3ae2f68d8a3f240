"""Whoever imports the networks waits for NumPy and for little else."""

import subprocess
import sys

CODE = """
import sys, time, numpy
start = time.process_time()
import mlcourse.autograd, mlcourse.nn, mlcourse.language
spent = time.process_time() - start
heavy = [name for name in ("torch", "scipy", "sklearn", "pandas", "matplotlib", "tqdm", "tokenizers") if name in sys.modules]
print(spent, *heavy)
"""


def test_importing_brings_no_heavy_library_and_takes_a_moment():
    runs = [
        subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert [run[1:] for run in runs] == [[], [], []]
    assert min(float(run[0]) for run in runs) < 0.1
