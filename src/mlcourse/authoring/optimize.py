"""The step after the Sphinx build: pages that load one small style sheet, one small script and only the glyphs that they show.

The theme's pages load twenty files, most of which no page of this course uses: over a megabyte. What is done here is done to the
files in `_build/html`, and remembered in `_build/optimize.json`, so that a second run touches only pages that Sphinx wrote anew.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from html import unescape
from io import BytesIO
from pathlib import Path

from mlcourse.authoring.images import add_image_sizes, shrink_svg
from mlcourse.authoring.node import install_packages, node_program

MEMORY = "_build/optimize.json"
MARK = '<meta name="generator" content="mlcourse">'
"""What tells a page that this step has seen from one that Sphinx wrote."""

FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")
"""Asked for at once: nearly every formula needs both, and a late font moves the lines."""

_OTHER_BUILD = "# Sphinx build info version 1\n# Written by mlcourse book: all pages are to be written.\nconfig: none\ntags: none\n"
PLAIN_TOKENS = ("n", "nn", "nx", "p", "pm", "w")
"""Classes of code that both color schemes show like the text around it."""

_REDIRECT = "index.html"  # Jupyter Book writes it once: it only leads to the welcome page
_DROPPED = ("fontawesome.js", "searchtools.js", "language_data.js", "searchindex.js", "sphinx_highlight.js")
_UNUSED = ("**/*.map", "scripts/fontawesome.js", "vendor/fontawesome/**/*.*", "searchtools.js", "language_data.js")
_KEPT_AS_IT_IS = re.compile(
    r"(<pre\b.*?</pre>|<script\b.*?</script>|<style\b.*?</style>|<textarea\b.*?</textarea>)", re.DOTALL
)
_STYLE = re.compile(r'<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"?]*)[^"]*"[^>]*>\s*')
_SCRIPT = re.compile(r'<script\b(?![^>]*type="module")([^>]*)\bsrc="([^"?]*)[^"]*"([^>]*)></script>\s*')
_IMAGE = re.compile(r"_images/([\w.-]+)")
_STAMP = re.compile(r'(<p class="stamp">).*?(</p>)', re.DOTALL)
_VERSIONED = re.compile(r"(_static/(bundle\.css|bundle\.js|katex/fonts/[\w-]+\.woff2))\?v=\w*")


_MEASURES_ALL = r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)'
_ANNOTATION = re.compile(
    r"<semantics>((?:(?!<semantics>).)*?)<annotation [^>]*>[^<]*</annotation></semantics>", re.DOTALL
)
_SPAN = re.compile(r"<(/?)span\b[^>]*>")
_ALWAYS = frozenset(("href", "src", "alt", "title", "style", "http", "https", ".svg", ".png"))
_NOT_SELECTED = re.compile(r'\b(style|href|src|alt|title|content|d|points|transform|aria-label)="[^"]*"')


class ThemeError(RuntimeError):
    """A page is not what the theme wrote when this step was made."""

    def __init__(self, page, problem):
        super().__init__(
            f"{page}: {problem}\n  fix: the theme's HTML has changed (its versions are pinned in pyproject.toml); "
            "compare the page with what src/mlcourse/authoring/optimize.py expects, and adapt that"
        )


def prepare(root):
    """Have Sphinx write all pages anew if this step itself has changed since it worked on them."""
    if _remembered(root)["key"] != _own_key(root):
        if (root / "_build/html").exists():
            (root / "_build/html/.buildinfo").write_text(_OTHER_BUILD, encoding="utf-8")
        (root / MEMORY).unlink(missing_ok=True)


def optimize(root, stamp=""):
    """Make the pages of `_build/html` small and accessible.

    Parameters
    ----------
    root : Path
        The course's folder.
    stamp : str
        What each page's footer says of its version, as HTML.

    Returns
    -------
    list of str
        The pages that were new, relative to the site.

    Raises
    ------
    ThemeError
        If a page is not as expected.
    """
    site, memory = root / "_build/html", _remembered(root)
    memory["key"] = _own_key(root)
    pages = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
    texts, changed = {}, []
    for path in pages:
        name, data = path.relative_to(site).as_posix(), path.read_bytes()
        known = memory["pages"].get(name)
        if known and known["sha"] == _sha(data):
            continue
        text = data.decode("utf-8")
        if MARK not in text:
            text, parts = optimize_page(name, text, path.parent)
            for kind, files in parts.items():
                memory[kind] = _merge(memory[kind], files, name)
            changed.append(name)
        elif known is None and name != _REDIRECT:
            raise RuntimeError(
                f"{name} was made small before, but {MEMORY} is gone\n  fix: run mlcourse book, which calls `prepare` first"
            )
        texts[name] = text
        memory["pages"][name] = {
            "words": sorted(words_of(text)),
            "glyphs": glyphs_of(text),
            "images": sorted(set(_IMAGE.findall(text))),
        }
    gone = memory["pages"].keys() - {path.relative_to(site).as_posix() for path in pages}
    for name in gone:
        del memory["pages"][name]
    _drop_old_images(site, memory)
    _shrink_figures(site, memory)
    versions = {**_write_bundles(root, site, memory), "stamp": stamp}
    _write_pages(site, memory, texts, versions)
    for pattern in _UNUSED:
        for path in (site / "_static").glob(pattern):
            path.unlink()
    (root / MEMORY).write_text(json.dumps(memory), encoding="utf-8")
    return changed


# ---- one page


def optimize_page(name, text, folder):
    """Return a page's new text, and the style sheets and scripts that it loaded, as paths below the site.

    Parameters
    ----------
    name : str
        The page, for messages.
    text : str
        What Sphinx wrote.
    folder : Path
        Where the page is, to find its images.

    Returns
    -------
    text : str
    parts : dict
        `styles` and `scripts`, in the page's order.
    """
    if name == _REDIRECT:
        return _redirect(name, text), {}
    styles = [_static_path(name, match[1]) for match in _STYLE.finditer(text)]
    loaded = [match[2] for match in _SCRIPT.finditer(text)]
    scripts = [_static_path(name, address) for address in loaded if not address.endswith(_DROPPED)]
    for wanted, found in (("styles/pydata-sphinx-theme.css", styles), ("scripts/pydata-sphinx-theme.js", scripts)):
        if not any(path.endswith(wanted) for path in found):
            raise ThemeError(name, f"it does not load {wanted}")
    base = _STYLE.search(text)[1].split("_static/")[0]
    flags = " ".join(
        sorted({flag for m in _SCRIPT.finditer(text) for flag in re.findall(r'data-[\w-]+="[^"]*"', m[0])})
    )
    fonts = FONTS if 'class="katex"' in text else ()
    head = [
        MARK,
        *(
            f'<link rel="preload" as="font" type="font/woff2" crossorigin href="{base}_static/katex/fonts/{f}.woff2?v=">'
            for f in fonts
        ),
    ]
    head += [
        f'<link rel="stylesheet" href="{base}_static/bundle.css?v=">',
        f'<script defer {flags} src="{base}_static/bundle.js?v="></script>',
    ]
    text = re.sub(r'<link rel="preload" as="script"[^>]*>\s*', "", _SCRIPT.sub("", _STYLE.sub("", text)))
    text = re.sub(r"<script>\s*DOCUMENTATION_OPTIONS\.\w+ = [^<]*</script>\s*", "", text)
    text = _replace(name, text, r"</head>", "\n".join([*head, "</head>"]), 1)
    text = _accessible(name, text)
    _check_features(name, text)
    text = _ANNOTATION.sub(r"\1", _with_few_colors(add_image_sizes(text, folder)))
    return _without_blank_lines(text), {"styles": styles, "scripts": scripts}


def _accessible(name, text):
    """Mend what axe-core finds in the HTML of the theme, of pandas and of docutils."""
    text = _replace(
        name,
        text,
        r'<div id="pst-primary-sidebar"',
        '<div id="pst-primary-sidebar" role="navigation" aria-label="Book"',
        1,
    )
    text = re.sub(r"<th\b([^>]*)>(?:<p></p>)?</th>", r"<td\1></td>", text)
    text = text.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    text = text.replace(
        '<summary><span class="toctree-toggle"', '<summary aria-label="Exercises"><span class="toctree-toggle"'
    )
    return re.sub(r' role="(doc-biblioentry|doc-backlink|doc-noteref|list)"', "", text)


def _check_features(name, text):
    """Every feature that this step touches must still be there."""
    for feature, pattern in {
        "the main part": r'<main id="main-content"',
        "the article": r'<article class="bd-article',
        "the search dialog": r'<dialog id="pst-search-dialog"',
        "the button for the theme": r"theme-switch-button",
        "the button for the sidebar": r"primary-toggle",
        "the theme's choice before painting": r"Object\.assign\(document\.documentElement\.dataset",
    }.items():
        if not re.search(pattern, text):
            raise ThemeError(name, f"{feature} is missing (nothing matches {pattern!r})")


def _replace(name, text, pattern, new, times):
    text, count = re.subn(pattern, lambda _: new, text)
    if count != times:
        raise ThemeError(name, f"{pattern!r} was found {count} times, not {times}")
    return text


def _redirect(name, text):
    target = re.search(r'url=([^"]+)"', text)
    if target is None:
        raise ThemeError(name, "it does not lead to the welcome page")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>mlcourse</title>'
        f'<meta http-equiv="refresh" content="0; url={target[1]}">{MARK}</head>'
        f'<body><main><h1>mlcourse</h1><p><a href="{target[1]}">The welcome page</a></p></main></body></html>\n'
    )


def _without_blank_lines(text):
    parts = _KEPT_AS_IT_IS.split(text)
    parts[::2] = [re.sub(r"\s*\n\s*", "\n", re.sub(r"<!--.*?-->", "", part, flags=re.DOTALL)) for part in parts[::2]]
    return "".join(parts)


def _static_path(name, address):
    if "_static/" not in address:
        raise ThemeError(name, f"it loads {address}, which is not below _static/")
    return address[address.find("_static/") :]


def _with_few_colors(text):
    """Unwrap the tokens of code that look like the text around them: half of a chapter's code."""
    return re.sub(rf'<span class="(?:{"|".join(PLAIN_TOKENS)})">([^<]*)</span>', r"\1", text)


def words_of(text):
    """Return the words inside a page's tags that a style sheet could select."""
    tags = {_NOT_SELECTED.sub("", tag) for tag in set(re.findall(r"<[a-zA-Z][^>]*>", text))}
    return {word for tag in tags for word in re.findall(r"[\w-]+", tag)}


def glyphs_of(text):
    """Return the characters that a page's formulas show, as one string."""
    shown = (re.sub(r"<[^>]*>", "", text[start:end]) for start, end in formulas(text))
    return "".join(sorted(set().union(*map(unescape, shown))))


def formulas(text):
    """Yield where the visible part of each formula begins and ends."""
    for start in re.finditer(r'<span class="katex-html"', text):
        depth = 0
        for tag in _SPAN.finditer(text, start.start()):
            depth += -1 if tag[1] else 1
            if depth == 0:
                yield start.start(), tag.end()
                break


# ---- what pages share


def _merge(known, files, name):
    """Insert files into the order that is known; two pages that load the same files in another order are an error."""
    common = [file for file in files if file in known]
    if common != [file for file in known if file in common]:
        raise ThemeError(name, f"it loads {', '.join(files)} in another order than the pages before it")
    merged = list(known)
    for i, file in enumerate(files):
        if file not in merged:
            merged.insert(merged.index(files[i - 1]) + 1 if i else 0, file)
    return merged


def _write_bundles(root, site, memory):
    """Write the bundles and the fonts whose input changed; return the version of each file."""
    static = site / "_static"
    css = "\n".join(_style_text(static, site / path) for path in memory["styles"] if (site / path).exists())
    scripts = [_script_text(site / path) for path in memory["scripts"] if (site / path).exists()]
    modules = [path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.mjs"))]
    words = set(_ALWAYS).union(*(page["words"] for page in memory["pages"].values()))
    _check_icons(words, css)
    for script in scripts + modules:
        words.update(re.findall(r"[\w-]+", script))
    fonts = _write_fonts(site, memory)
    css = re.sub(r"(katex/fonts/([\w-]+)\.woff2)", lambda m: f"{m[1]}?v={fonts.get(m[2], '')}", css)
    work = {"css": css, "words": sorted(words), "js": scripts}
    key = _sha(json.dumps([work, modules]).encode())
    bundles = [static / "bundle.css", static / "bundle.js"]
    if memory["bundle"].get("key") != key or not all(path.exists() for path in bundles):
        made = _run_node(root, work)
        for path in bundles:
            path.write_text(made[path.suffix[1:]], encoding="utf-8")
        memory["bundle"] = {
            "key": key,
            "bundle.css": _sha(made["css"].encode()),
            "bundle.js": _sha((made["js"] + "".join(modules)).encode()),
        }
    return {**memory["bundle"], **{f"katex/fonts/{name}.woff2": version for name, version in fonts.items()}}


def _style_text(static, path):
    """Return a style sheet with its imports in place and its addresses relative to `_static`."""
    text = path.read_text(encoding="utf-8").replace('@charset "UTF-8";', "")
    text = re.sub(r'@import "([^"]+)";', lambda m: _style_text(static, path.parent / m[1]), text)
    text = re.sub(r"@font-face\{[^}]*Font Awesome[^}]*\}", "", text)
    text = re.sub(r',url\([^)]*\) ?format\("(woff|truetype)"\)', "", text)

    def moved(match):
        return f"url({(path.parent / match[1]).resolve().relative_to(static.resolve()).as_posix()})"

    return re.sub(r"url\(['\"]?(?!data:|https?:|#|katex/)([^)'\"]+)['\"]?\)", moved, text)


def _script_text(path):
    """Return a script; the theme's without what scrolling.js does in its place."""
    text = path.read_text(encoding="utf-8")
    if path.name == "pydata-sphinx-theme.js":
        return _replace(path.name, text, _MEASURES_ALL, "0", 1)
    return text


def _check_icons(words, css):
    drawn = set(re.findall(r"\.(fa-[\w-]+)\s*\{\s*--icon", css))
    missing = (
        {word for word in words if re.fullmatch(r"fa-[a-z-]+", word)}
        - drawn
        - {"fa-solid", "fa-lg", "fa-brands", "fa-regular"}
    )
    if missing:
        raise ThemeError("the pages", f"no icon is drawn in book/_static/icons.css for {', '.join(sorted(missing))}")


def _write_fonts(site, memory):
    """Keep in the fonts only the glyphs of this course's formulas; return their versions."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    glyphs = "".join(sorted(set().union(*(page["glyphs"] for page in memory["pages"].values()))))
    if not glyphs:
        return {}
    folder = site / "_static/katex/fonts"
    folder.mkdir(parents=True, exist_ok=True)
    for original in sorted((site.parents[1] / "node_modules/katex/dist/fonts").glob("*.woff2")):
        path, known = folder / original.name, memory["fonts"].get(original.stem, {})
        if path.exists() and known == {"version": _sha(path.read_bytes()), "glyphs": glyphs}:
            continue
        font = TTFont(original)
        subsetter = Subsetter(Options(flavor="woff2", layout_features=["*"], hinting=False, notdef_outline=True))
        subsetter.populate(text=glyphs)
        subsetter.subset(font)
        font.flavor = "woff2"
        small = BytesIO()
        font.save(small)
        path.write_bytes(small.getvalue())
        memory["fonts"][path.stem] = {"version": _sha(small.getvalue()), "glyphs": glyphs}
    return {name: known["version"] for name, known in memory["fonts"].items()}


def _run_node(root, work):
    install_packages(root)
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run(
        [node_program(), str(script)], cwd=root, input=json.dumps(work), capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise RuntimeError(f"the style sheets and scripts could not be made small:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def _drop_old_images(site, memory):
    """Remove images that no page shows any more: Sphinx leaves them, and search engines and the offline copy would take them."""
    shown = set().union(*(page["images"] for page in memory["pages"].values()))
    for path in (site / "_images").glob("*"):
        if path.name not in shown:
            path.unlink()


def _shrink_figures(site, memory):
    for path in (site / "_images").glob("*.svg"):
        if memory["figures"].get(path.name) != _sha(path.read_bytes()):
            path.write_text(shrink_svg(path.read_text(encoding="utf-8")), encoding="utf-8")
            memory["figures"][path.name] = _sha(path.read_bytes())


def _write_pages(site, memory, texts, versions):
    """Write the new pages, and the old ones if their bundle or their stamp is another."""
    renewed = versions != memory["versions"]
    for name, page in memory["pages"].items():
        if name not in texts and not renewed:
            continue
        old = texts[name] if name in texts else (site / name).read_text(encoding="utf-8")
        new = _VERSIONED.sub(lambda m: f"{m[1]}?v={versions[m[2]]}", old)
        data = _STAMP.sub(lambda m: f"{m[1]}{versions['stamp']}{m[2]}", new, count=1).encode()
        if page.get("sha") != _sha(data):
            (site / name).write_bytes(data)
            page["sha"] = _sha(data)
    memory["versions"] = versions


# ---- memory


def _remembered(root):
    empty = {
        "key": "",
        "pages": {},
        "styles": [],
        "scripts": [],
        "bundle": {},
        "fonts": {},
        "figures": {},
        "versions": {},
    }
    try:
        return {**empty, **json.loads((root / MEMORY).read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return empty


def _own_key(root):
    """Hash what this step is made of."""
    folder = Path(__file__).parent
    names = ("optimize.py", "optimize.mjs", "images.py", "katex.py", "katex.mjs")
    files = [*(folder / name for name in names), root / "package-lock.json"]
    return _sha(b"".join(path.read_bytes() for path in files))


def _sha(data):
    return hashlib.sha256(data).hexdigest()[:16]
