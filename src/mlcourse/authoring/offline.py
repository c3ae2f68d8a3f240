"""The offline copy: one zip with the whole site, to unpack anywhere and open from the file system.

A browser that opens a page as a file refuses to load modules and to fetch. Scripts of the old form it does load, so the copy brings
each module, and each file that a script fetches, in that form too; `offline.js` leads the calls there. What no file can do, start a
worker, the pages say in its place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import zipfile
from pathlib import Path
from posixpath import join, normpath

from mlcourse.authoring.node import install_packages, node_program

_OWN = Path(__file__).parent
_MODULE_TAG = re.compile(r'<script\b(?=[^>]*\btype="module")[^>]*\bsrc="([^"?]+)[^"]*"[^>]*></script>')
_ASKED_EARLY = re.compile(r'<link\b(?=[^>]*\brel="(?:modulepreload"|preload"[^>]*\bas="font"))[^>]*>\s*')
_FOLDER_LINK = re.compile(r'(<a\b[^>]*href="(?!\w+:|/)[^"#?]*/)(?=["#?])')
_FONT = re.compile(r"url\(([\"']?)([\w./-]+\.woff2)(?:\?[^)\"']*)?\1\)")
_MODULES = ("_static/search.mjs", "pagefind/pagefind.js")
"""Modules that no page names: a script loads them when they are needed."""

_LEFT_OUT = re.compile(
    r"[^/]+\.zip$|404\.html$|sitemap\.xml$|robots\.txt$|searchindex\.js$|objects\.inv$|\.buildinfo|"
    r"_static/(locales|styles|scripts|vendor)/|_static/[^/]*macros\.html$|pagefind/wasm\.unknown"
)
_FETCHED = re.compile(r"pagefind/(?!.*\.js$)|_static/.*\.json$|exercises/.*\.ipynb$")
_PACKED = (".png", ".jpg", ".woff2", ".zip", ".wasm")
_NOTE = """<div class="think offline-note" role="note" hidden><p><strong>Programs do not run here.</strong>
No browser runs them on a page that it opened as a file. In the folder of this copy, run <code>python serve.py</code>
(on Windows <code>py serve.py</code>) and open the address that it prints.</p></div>"""
_README = """mlcourse {version}, the whole book for reading without the internet.

Open index.html in a browser. Text, formulas, figures, quizzes and the search work, and so do the figures that move.

Programs inside a page run only if a server stands before the files. In this folder, run

    python serve.py

and open the address that it prints. Links to Colab and to other sites need the internet.
"""
_STAMP = "_build/offline.txt"
_OWN_LINK = re.compile(r'<a\b[^>]*href="[^"]*mlcourse-offline-[^"]*"[^>]*>(.*?)</a>')


def bundle_name(course):
    """Return the file name of the offline copy.

    Parameters
    ----------
    course : Course
    """
    return f"mlcourse-offline-{course.version}.zip"


def write_bundle(course):
    """Write the offline copy of `_build/html` into that folder, so that the site offers it, unless it is the copy of these very files.

    Parameters
    ----------
    course : Course
        The site must have been built.

    Returns
    -------
    Path or None
        The zip; None if nothing had changed.

    Raises
    ------
    RuntimeError
        If a module cannot be turned into a script.
    """
    site, kept = course.root / "_build/html", course.root / _STAMP
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    originals = {name: (site / name).read_bytes() for name in names if not _LEFT_OUT.match(name)}
    target, stamp = site / bundle_name(course), _checksum(originals)
    if target.exists() and kept.exists() and kept.read_text() == stamp:
        return None
    for old in site.glob("mlcourse-offline-*.zip"):
        old.unlink()
    _zip(target, offline_files(course, site, originals))
    kept.write_text(stamp)
    return target


def offline_files(course, site, originals):
    """Return the files of the copy, by name.

    Parameters
    ----------
    course : Course
    site : Path
        The built site.
    originals : dict
        Its files as bytes, by name.
    """
    pages = {name: data.decode("utf-8") for name, data in originals.items() if name.endswith(".html")}
    modules = sorted({*_MODULES, *(module for name, text in pages.items() for module in modules_of(name, text))})
    scripts = _as_scripts(course.root, site, modules)
    css, js = (originals[f"_static/bundle.{kind}"].decode("utf-8") for kind in ("css", "js"))
    fetched = {name: data for name, data in originals.items() if _FETCHED.match(name)}
    return {
        **originals,
        **{name: page_offline(name, text, scripts).encode() for name, text in pages.items()},
        **{f"{module}.js": script.encode() for module, script in scripts.items()},
        **{f"{name}.js": _as_script(name, data) for name, data in fetched.items()},
        "_static/bundle.css": with_fonts(css, site / "_static").encode(),
        "_static/bundle.js": _without_imports(js).encode(),
        "_static/offline.js": (_OWN / "offline.js").read_bytes(),
        "serve.py": (_OWN / "serve.py").read_bytes(),
        "README.txt": _README.format(version=course.version).encode(),
    }


def modules_of(name, text):
    """Yield the modules that a page names, as paths below the site."""
    for address in (*_MODULE_TAG.findall(text), *re.findall(r'data-module="([^"?]+)', text)):
        yield normpath(join(name, "..", address))


def page_offline(name, text, scripts):
    """Return a page as it is in the copy.

    Parameters
    ----------
    name : str
        The page, relative to the site.
    text : str
    scripts : dict
        The code of each module, as a script.
    """
    starts_worker = any(
        "new Worker(" in scripts.get(normpath(join(name, "..", a)), "") for a in _MODULE_TAG.findall(text)
    )
    text = _MODULE_TAG.sub(r'<script defer src="\1.js"></script>', _ASKED_EARLY.sub("", text))
    text = _OWN_LINK.sub(r"\1", text)  # the copy does not contain itself
    text = _FOLDER_LINK.sub(r"\1index.html", text)
    if starts_worker:
        text = re.sub(r"(</h1>)", lambda match: match[1] + _NOTE, text, count=1)
    own = f'<script src="{"../" * name.count("/")}_static/offline.js"></script>'
    return re.sub(r"(<script\b[^>]*\bsrc=|</head>)", lambda match: own + "\n" + match[1], text, count=1)


def with_fonts(css, folder):
    """Return a style sheet with its fonts inside: some browsers load none from a folder beside that of the page.

    Parameters
    ----------
    css : str
    folder : Path
        What its addresses are relative to.
    """

    def inside(match):
        font = base64.b64encode((folder / match[2]).read_bytes()).decode()
        return f"url(data:font/woff2;base64,{font})"

    return _FONT.sub(inside, css)


def _as_scripts(root, site, modules):
    """Turn modules into scripts of the old form, each with what it imports inside."""
    install_packages(root)
    work = {"site": str(site), "modules": modules}
    command = [node_program(), str(_OWN / "offline.mjs")]
    done = subprocess.run(command, cwd=root, input=json.dumps(work), capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"the modules could not be turned into scripts for the offline copy:\n{done.stderr.strip()}")
    return {name: _without_imports(script) for name, script in json.loads(done.stdout).items()}


def _without_imports(script):
    return re.sub(r"(?<![\w.$])import\(", "mlcourseImport(", script)


def _as_script(name, data):
    return f'mlcourseOffline.files[{json.dumps(name)}]="{base64.b64encode(data).decode()}";'.encode()


def _checksum(files):
    """One checksum of the files and of the code that makes the copy."""
    own = {name: (_OWN / name).read_bytes() for name in ("offline.py", "offline.js", "offline.mjs", "serve.py")}
    parts = (f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted({**files, **own}.items()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _zip(target, files):
    """Write a zip that is the same for the same files."""
    folder = target.stem.replace("-offline", "")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
