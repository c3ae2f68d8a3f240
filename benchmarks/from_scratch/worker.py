"""The work of one library, done in this process when a line comes in: `runner.Worker` starts it."""

import json
import os
import sys

from benchmarks.from_scratch.runner import load_cases, work_seconds


def main(module, name, size, library):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    (case,) = (case for _, case in load_cases([module]) if case.name == name)
    work = None
    for question in map(str.strip, sys.stdin):
        if question == "prepare":
            try:
                work = case.build[library](**case.sizes[size])
                answer = {"result": _number(work())}
            except ImportError as error:
                answer = {"skipped": f"{error} (pip install {library} to compare with it)"}
        else:
            answer = {"seconds": work_seconds(work)}
        print(json.dumps(answer), file=answers, flush=True)


def _number(result):
    return None if result is None else float(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
