"""The optimizing step: what it does to a page, that it can be repeated, and that it complains about HTML it does not know."""

import re
from xml.etree import ElementTree

import pytest

from mlcourse.authoring.images import add_image_sizes, image_size, shrink_svg
from mlcourse.authoring.optimize import (
    MARK,
    MEMORY,
    PLAIN_TOKENS,
    ThemeError,
    formulas,
    glyphs_of,
    optimize,
    optimize_page,
    prepare,
    words_of,
)
from mlcourse.authoring.search import page_record, vocabulary
from tests.conftest import ROOT

FORMULA = (
    '<span class="katex"><span class="katex-mathml"><math><semantics><mi>x</mi>'
    '<annotation encoding="application/x-tex">x</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true"><span class="mord mathnormal">α&lt;</span></span></span>'
)
PAGE = f"""<!DOCTYPE html>
<html lang="en" data-content_root="../" data-theme="auto"><head><title>A page</title>
  <script>Object.assign(document.documentElement.dataset, {{}})</script>
  <link href="../_static/styles/theme.css?digest=1" rel="stylesheet" />
  <link href="../_static/styles/pydata-sphinx-theme.css?digest=1" rel="stylesheet" />
  <link rel="stylesheet" type="text/css" href="../_static/icons.css?v=2" />
  <script defer src="../_static/scripts/fontawesome.js?digest=1"></script>
  <link rel="preload" as="script" href="../_static/scripts/bootstrap.js?digest=1" />
  <script data-sd-tabs-storage-prefix="tab-" src="../_static/tabs.js?v=3"></script>
  <script>DOCUMENTATION_OPTIONS.pagename = 'book/a';</script>
  <script src="../searchindex.js"></script>
  <script type="module" src="../_static/own.mjs"></script>
</head><body>
  <dialog id="pst-search-dialog"></dialog>
  <div id="pst-primary-sidebar" class="used"></div>


  <main id="main-content"><article class="bd-article"><h1>A page</h1>
    <button class="primary-toggle"><span class="fa-solid fa-bars"></span></button><button class="theme-switch-button"></button>
    <p>{FORMULA}</p><table><tr><th></th><th class="head"><p></p></th></tr></table>
    <div class="highlight"><pre><span class="n">a</span> <span class="o">=</span>

<span class="mi">1</span></pre></div>
    <img alt="A figure" src="../_images/figure.svg" />
  </article></main>
  <script defer src="../_static/scripts/pydata-sphinx-theme.js?digest=1"></script>
</body></html>
"""
SVG = '<svg width="72pt" height="36pt" viewBox="0 0 72 36"><path d="M 1.23456 2 L 3 4 "/></svg>'
MEASURE = '"complete"===document.readyState?I():window.addEventListener("load",I)'


@pytest.fixture
def site(tmp_path):
    """A course whose site has one page, as Sphinx would leave it."""
    for name in ("node_modules", "package-lock.json", "package.json", ".npmrc"):
        (tmp_path / name).symlink_to(ROOT / name)
    files = {
        "book/a.html": PAGE,
        "index.html": '<meta http-equiv="Refresh" content="0; url=book/a.html" />\n',
        "_images/figure.svg": SVG,
        "_static/basic.css": ".basic, .primary-toggle { color: red }",
        "_static/styles/theme.css": '@import "../basic.css";',
        "_static/styles/pydata-sphinx-theme.css": ".unused { top: 1 } .used { background: url(../images/a.png) }\n.by-script { top: 0 }",
        "_static/icons.css": ".fa-bars { --icon: url('x') } i { mask: var(--icon) }",
        "_static/scripts/fontawesome.js": "icons()",
        "_static/scripts/pydata-sphinx-theme.js": f'document.body.classList.add("by-script"); {MEASURE}',
        "_static/tabs.js": "const  tabs  =  1;",
        "_static/bootstrap.js.map": "{}",
    }
    for name, text in files.items():
        path = tmp_path / "_build/html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "_build/html"


def optimized(text=PAGE, name="book/a.html", folder=ROOT):
    return optimize_page(name, text, folder)


def test_a_page_loads_one_style_sheet_and_one_script():
    text, parts = optimized()
    assert re.findall(r'<link rel="stylesheet" href="([^"]*)">', text) == ["../_static/bundle.css?v="]
    assert re.findall(r'<script defer ([^>]*)src="([^"]*)"', text) == [
        ('data-sd-tabs-storage-prefix="tab-" ', "../_static/bundle.js?v=")
    ]
    assert parts["styles"] == [
        "_static/styles/theme.css",
        "_static/styles/pydata-sphinx-theme.css",
        "_static/icons.css",
    ]
    assert parts["scripts"] == ["_static/tabs.js", "_static/scripts/pydata-sphinx-theme.js"]
    assert not re.search('fontawesome|searchindex|DOCUMENTATION_OPTIONS|as="script"', text)
    assert '<script type="module" src="../_static/own.mjs"></script>' in text


def test_a_page_with_formulas_asks_for_their_fonts_at_once():
    assert optimized()[0].count('rel="preload" as="font"') == 2
    assert 'rel="preload"' not in optimized(PAGE.replace(FORMULA, ""))[0]


def test_what_axe_finds_in_the_theme_is_mended():
    text, _ = optimized()
    assert '<div id="pst-primary-sidebar" role="navigation" aria-label="Book"' in text
    assert '<tr><td></td><td class="head"></td></tr>' in text


def test_code_keeps_its_blank_lines_and_colors_that_differ():
    text, _ = optimized()
    assert '<pre>a <span class="o">=</span>\n\n<span class="mi">1</span></pre>' in text
    assert "\n\n" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)


def test_plain_tokens_have_the_color_of_the_text_around_them(built_site):
    css = (built_site / "_static/pygments.css").read_text()
    for theme in ("light", "dark"):
        rule = rf'html\[data-theme="{theme}"\] \.highlight{{}} \{{{{[^}}}}]*?(?<!-)color: (#\w+)'
        base = re.search(rule.format(""), css)[1]
        for token in PLAIN_TOKENS:
            found = re.search(rule.format(rf" \.{token}"), css)
            assert found is None or found[1] == base, (theme, token)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("styles/pydata-sphinx-theme.css", "styles/theme2.css", "does not load styles/pydata-sphinx-theme.css"),
        ("scripts/pydata-sphinx-theme.js", "scripts/theme2.js", "does not load scripts/pydata-sphinx-theme.js"),
        ('id="pst-primary-sidebar"', 'id="sidebar"', "was found 0 times, not 1"),
        ('id="pst-search-dialog"', 'id="search"', "the search dialog is missing"),
        ("theme-switch-button", "theme-button", "the button for the theme is missing"),
        ("Object.assign", "Object.put", "the theme's choice before painting is missing"),
        ("../_static/icons.css", "../css/icons.css", "loads ../css/icons.css, which is not below _static/"),
    ],
)
def test_html_that_is_not_the_themes_is_an_error(old, new, problem):
    with pytest.raises(ThemeError, match=re.escape(problem)) as error:
        optimized(PAGE.replace(old, new))
    assert str(error.value).startswith("book/a.html: ")
    assert "fix: the theme's HTML has changed" in str(error.value)


def test_bundles_have_what_the_pages_use(site):
    assert optimize(site.parents[1]) == ["book/a.html", "index.html"]
    css = (site / "_static/bundle.css").read_text()
    assert ".used" in css
    assert ".by-script" in css
    assert ".primary-toggle" in css
    assert ".unused" not in css
    assert "url(images/a.png)" in css
    js = (site / "_static/bundle.js").read_text()
    assert "readyState" not in js
    assert "tabs=1" in js
    page = (site / "book/a.html").read_text()
    assert re.search(r"bundle\.css\?v=\w{16}", page)
    assert re.search(r"bundle\.js\?v=\w{16}", page)
    assert not (site / "_static/scripts/fontawesome.js").exists()
    assert not (site / "_static/bootstrap.js.map").exists()


def test_a_second_run_changes_nothing(site):
    root = site.parents[1]
    optimize(root)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in site.rglob("*") if path.is_file()}
    assert optimize(root) == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in site.rglob("*") if path.is_file()} == before


def test_only_a_page_that_sphinx_wrote_anew_is_worked_on(site):
    root = site.parents[1]
    (site / "book/b.html").write_text(PAGE)
    optimize(root)
    kept = (site / "book/a.html").stat().st_mtime_ns
    (site / "book/b.html").write_text(PAGE.replace("A page", "Another page"))
    assert optimize(root) == ["book/b.html"]
    assert (site / "book/a.html").stat().st_mtime_ns == kept


def test_an_image_that_no_page_shows_any_more_is_removed(site):
    (site / "_images/old.svg").write_text(SVG)
    optimize(site.parents[1])
    assert [path.name for path in (site / "_images").iterdir()] == ["figure.svg"]
    (site / "book/a.html").write_text(PAGE.replace("figure.svg", "other.svg"))
    (site / "_images/other.svg").write_text(SVG)
    optimize(site.parents[1])
    assert [path.name for path in (site / "_images").iterdir()] == ["other.svg"]


def test_a_new_style_gives_every_page_a_new_address_of_it(site):
    root = site.parents[1]
    optimize(root)
    old = re.search(r"bundle\.css\?v=(\w+)", (site / "book/a.html").read_text())[1]
    (site / "_static/icons.css").write_text(".fa-bars { --icon: url('x'); color: red }")
    assert optimize(root) == []
    new = re.search(r"bundle\.css\?v=(\w+)", (site / "book/a.html").read_text())[1]
    assert new != old


def test_a_new_stamp_is_written_without_work_on_the_pages(site):
    root, page = site.parents[1], site / "book/a.html"
    page.write_text(PAGE.replace("</body>", '<footer><p class="stamp"></p></footer></body>'))
    optimize(root, "Version 1")
    assert '<p class="stamp">Version 1</p>' in page.read_text()
    assert optimize(root, 'Version 2, commit <a href="x">abc</a>') == []
    assert '<p class="stamp">Version 2, commit <a href="x">abc</a></p>' in page.read_text()
    assert optimize(root, "Version 3") == []
    assert '<p class="stamp">Version 3</p>' in page.read_text()
    written = page.stat().st_mtime_ns
    assert optimize(root, "Version 3") == []
    assert page.stat().st_mtime_ns == written


def test_an_icon_that_nobody_drew_is_an_error(site):
    page = site / "book/a.html"
    page.write_text(page.read_text().replace("fa-bars", "fa-rocket"))
    with pytest.raises(ThemeError, match=r"no icon is drawn in book/_static/icons.css for fa-rocket"):
        optimize(site.parents[1])


def test_a_theme_whose_script_changed_is_an_error(site):
    (site / "_static/scripts/pydata-sphinx-theme.js").write_text("other()")
    with pytest.raises(ThemeError, match=r"pydata-sphinx-theme.js.*was found 0 times"):
        optimize(site.parents[1])


def test_the_first_page_leads_to_the_welcome_page(site):
    optimize(site.parents[1])
    text = (site / "index.html").read_text()
    assert 'content="0; url=book/a.html"' in text
    assert '<a href="book/a.html">' in text
    assert MARK in text


def test_pages_are_written_anew_when_the_step_itself_has_changed(site):
    root = site.parents[1]
    optimize(root)
    prepare(root)
    assert (root / MEMORY).exists()
    assert not (site / ".buildinfo").exists()
    memory = root / MEMORY
    memory.write_text(memory.read_text().replace('"key": "', '"key": "x', 1))
    prepare(root)
    assert not memory.exists()
    assert (site / ".buildinfo").read_text().startswith("# Sphinx build info version 1")


def test_words_and_glyphs():
    assert {"pst-primary-sidebar", "used", "fa-bars"} <= words_of(PAGE)
    assert "blank" not in words_of("<p>blank</p>")
    assert glyphs_of(PAGE) == "<α"
    assert [PAGE[a:b][:24] for a, b in formulas(PAGE)] == ['<span class="katex-html"']


def test_image_sizes(site, tmp_path):
    assert image_size(site / "_images/figure.svg") == (96, 48)
    assert image_size(tmp_path / "missing.png") is None
    text = add_image_sizes('<article><img src="_images/figure.svg"><img src="_images/figure.svg"></article>', site)
    assert text.count('width="96" height="48"') == 2
    assert text.count('loading="lazy"') == 1


@pytest.mark.parametrize("name", ["book/math/vectors.html", "book/python/numpy.html"])
def test_figures_stay_well_formed(built_site, name):
    figures = re.findall(r'src="(?:\.\./)*(_images/[^"]+\.svg)"', (built_site / name).read_text(encoding="utf-8"))
    assert figures
    for figure in figures:
        ElementTree.parse(built_site / figure)


def test_numbers_of_an_outline_are_rounded_and_its_transforms_are_not():
    small = shrink_svg(
        '<svg><g transform="scale(0.015625)"><path d="M 10.005 -0.001\nL 2.5 3"/></g><text>3.14159</text></svg>'
    )
    assert small == '<svg><g transform="scale(0.015625)"><path d="M10.01 0L2.5 3"/></g><text>3.14159</text></svg>'


def test_what_is_indexed_is_text_with_anchors():
    page = (
        '<head><meta content="inner product" name="keywords"></head><article><section id="dot"><h2>The dot<a class="headerlink">#</a></h2>'
        f'<p>Let {FORMULA} be. <code class="x"><span>np.dot</span></code></p><pre>np.linalg.norm(x)</pre></section>'
        '<dl><dt id="term-norm">norm<a class="headerlink">#</a></dt><dd>A length.</dd></dl></article>'
    )
    record = page_record(page)
    assert '<h2 id="dot">The dot</h2>' in record
    assert '<h4 id="term-norm">norm</h4>' in record
    assert "<p>Let  be. np.\u200adot</p>" in record
    assert "np.\u200alinalg.\u200anorm(\u200ax)" in record
    assert '<p data-pagefind-weight="10" data-pagefind-meta="keywords">inner product</p>' in record
    assert vocabulary([record])[0] == "norm"
