"""Measure the from-scratch methods beside the libraries that they explain.

    python -m benchmarks.from_scratch                      # everything, about ten minutes
    python -m benchmarks.from_scratch neural "BPE train"   # a module, or cases by a part of their name

It prints one table as Markdown and writes it, and all figures as JSON, to benchmarks/results. Ratios hold on a busy machine,
milliseconds do not.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.from_scratch import runner


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m benchmarks.from_scratch", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="modules or parts of the names of cases; default: all")
    parser.add_argument("--rounds", type=int, default=7, help="how often each library has its turn (default: 7)")
    parser.add_argument("--smallest", action="store_true", help="only the smallest size of each case")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--results", type=Path, default=runner.ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    cases = runner.load_cases(options.names)
    if not cases:
        parser.error(f"no case is called {' or '.join(options.names)}: there are {', '.join(case_names())}")
    results = {"about": runner.about(cases, sys.argv[1:] if arguments is None else arguments), "rows": []}
    for module, case in cases:
        results["rows"] += runner.rows_of(module, case, options.rounds, options.smallest, say)
    path = runner.write(results, options.results)
    print(runner.markdown(results))
    say(f"written to {path}.json and {path.name}.md")
    return int(options.strict and bool(runner.misses(results)))


def case_names():
    return [case.name for _, case in runner.load_cases()]


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
