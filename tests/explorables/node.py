"""Run the shipped modules in Node."""

import json
import subprocess
import tempfile
from pathlib import Path

from mlcourse.authoring.node import node_program
from mlcourse.explorables import source


def evaluate(name, expression, **values):
    """Return what a JavaScript expression gives; `m` is the explorable's module, and the values have their names."""
    with tempfile.TemporaryDirectory() as folder:
        module, program = Path(folder, "module.mjs"), Path(folder, "program.mjs")
        module.write_text(source(name), encoding="utf-8")
        given = "".join(f"const {key} = {json.dumps(value)};\n" for key, value in values.items())
        lines = f'import * as m from "./module.mjs";\n{given}console.log(JSON.stringify({expression}));\n'
        program.write_text(lines, encoding="utf-8")
        done = subprocess.run([node_program(), str(program)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
