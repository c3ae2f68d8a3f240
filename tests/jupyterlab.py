"""A real JupyterLab with one notebook, and its cells in a browser."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

import nbformat


@contextmanager
def serve_notebook(folder, cells, **environment):
    """Serve a notebook of these code cells; yield its address."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "try.ipynb")
    settings = {
        key: str(folder / key.lower())
        for key in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    log = folder / "log.txt"
    options = [
        "--no-browser",
        "--allow-root",
        "--port=0",
        "--IdentityProvider.token=try",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ip=127.0.0.1",
    ]
    with open(log, "w") as written:
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
        variables = {**os.environ, **settings, **environment}
        server = subprocess.Popen(command, cwd=folder, env=variables, stdout=written, stderr=written)
    try:
        yield f"{_address(log, server)}/lab/tree/try.ipynb?token=try"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _address(log, server):
    for _ in range(600):
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab", log.read_text())
        with suppress(OSError):  # the address is in the log a moment before somebody answers there
            if found and urllib.request.urlopen(f"{found[1]}/api/status?token=try", timeout=30).status == 200:
                return found[1]
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def output(page, number):
    return page.locator(".jp-CodeCell").nth(number)


def run(page, number, shown):
    """Run a cell and wait for what it shows; what is run while the kernel starts is lost, so ask again."""
    from playwright.sync_api import TimeoutError

    said = []
    for patience in (10_000, 20_000, 30_000):
        said += _dismiss_dialogs(page)
        with suppress(TimeoutError):  # a dialog can come between the look for one and the click
            output(page, number).locator(".cm-content").click(timeout=patience)
            page.keyboard.press("Control+Enter")
            return output(page, number).locator(shown).first.wait_for(timeout=patience)
    shows = output(page, number).inner_text()
    raise AssertionError(f"cell {number} shows no {shown}, but: {shows}\ndialogs: {said + _dismiss_dialogs(page)}")


def _dismiss_dialogs(page):
    """Accept what JupyterLab asks, such as that a kernel died at its start and is started again; return the texts."""
    said = []
    for dialog in page.locator("dialog.jp-Dialog").all():
        said.append(dialog.inner_text())
        dialog.locator("button.jp-mod-accept").press("Enter")
    return said
