"""Every page is light, quiet and accessible; the main ones get Lighthouse's marks of a phone on a slow network."""

import json
import re
import subprocess

import pytest

from mlcourse.authoring.node import install_packages, node_program
from tests.conftest import ROOT
from tests.site.browser import find_chromium, needs_chromium, pages_of

pytestmark = needs_chromium
KILOBYTES, REQUESTS, SHIFT = 300, 20, 0.02
LOWEST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 95}
MEASURED = [
    "book/index",
    "book/how-to-use",
    "book/glossary",
    "book/math/vectors",
    "book/python/numpy",
    "book/classical/linear-regression",
    "book/python/basics",
    "book/progress",
    "exercises/math/vectors",
    "exercises/python/basics",
]
TRIES = 5

SHIFTS = """() => new Promise((done) => {
  let sum = 0; const moved = [];
  new PerformanceObserver((list) => list.getEntries().filter((e) => !e.hadRecentInput).forEach((e) => {
    sum += e.value; e.sources.forEach((s) => moved.push((s.node?.outerHTML ?? s.node?.textContent ?? "?").slice(0, 100)));
  })).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done([sum, moved]), 200);
})"""
SCROLL = """async () => {
  document.querySelectorAll("details").forEach((part) => { part.open = true });
  for (let y = 0; y < document.body.scrollHeight; y += 1500) { scrollTo(0, y); await new Promise(requestAnimationFrame) }
  await new Promise((done) => setTimeout(done, 300));
}"""
# Formulas take the color of the text around them; on one page they are looked at too.
AXE = """async ([withFormulas, rules]) => {
  const options = rules ? { resultTypes: ["violations"], runOnly: { type: "rule", values: rules } } : { resultTypes: ["violations"] };
  const { violations } = await axe.run(withFormulas ? document : { exclude: [".katex"] }, options);
  return violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(" ")}\\n    ${node.html.slice(0, 200)}\\n    ${node.failureSummary.replace(/\\s+/g, " ")}`));
}"""


@pytest.fixture(scope="module", autouse=True)
def packages():
    install_packages(ROOT, tests=True)


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_are_light_and_do_not_jump(address, built_site, new_page, width):
    faults = []
    for name in pages_of(built_site):
        page = new_page(viewport={"width": width, "height": 844})
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        asked, sizes = {}, []
        network.on(
            "Network.requestWillBeSent", lambda e, asked=asked: asked.update({e["requestId"]: e["request"]["url"]})
        )
        network.on("Network.loadingFinished", lambda e, sizes=sizes: sizes.append(e["encodedDataLength"]))
        page.goto(address + name, wait_until="load")
        page.wait_for_timeout(300)
        shift, moved = page.evaluate(SHIFTS)
        page.context.close()
        requests = [url for url in asked.values() if not url.startswith("data:")]
        if sum(sizes) > KILOBYTES * 1000:
            faults.append(f"{name}: {sum(sizes) / 1000:.0f} kB, at most {KILOBYTES} are allowed")
        if len(requests) > REQUESTS:
            faults.append(f"{name}: {len(requests)} requests, at most {REQUESTS} are allowed: {requests}")
        if shift > SHIFT:
            faults.append(f"{name}: the layout jumps by {shift:.3f}, first {moved[:1]}")
    assert faults == []


def test_images_state_their_size(built_site):
    faults = []
    for name in pages_of(built_site):
        images = re.findall(r"<img [^>]*>", (built_site / name).read_text(encoding="utf-8"))
        faults += [f"{name}: {image[:120]}" for image in images if not re.search(r'\swidth="\d+" height="\d+"', image)]
    assert faults == []


def test_axe_finds_nothing(address, built_site, new_page):
    """All rules on both widths; in the dark, what it changes: the colors."""
    axe = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    faults = []
    for name in pages_of(built_site):
        page = new_page("light", viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.goto(address + name, wait_until="load")
        page.evaluate(axe)
        for theme, width, rules in (("light", 1280, None), ("dark", 1280, ["color-contrast"]), ("light", 390, None)):
            if theme == "light":
                page.set_viewport_size({"width": width, "height": 900})
                page.evaluate(SCROLL)
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            found = page.evaluate(AXE, [name == "book/notation.html", rules])
            faults += [f"{name}, {theme}, {width} px: {fault}" for fault in found]
        page.context.close()
    assert not faults, "\n".join(faults)


def test_axe_finds_nothing_in_the_open_search_and_menus(address, new_page):
    axe = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    faults = []
    for theme in ("light", "dark"):
        page = new_page(theme, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        for part, action in {
            "search": lambda page: (
                page.keyboard.press("Control+k"),
                page.keyboard.type("norm"),
                page.wait_for_selector(".search-results a"),
            ),
            "sidebar": lambda page: page.locator(".primary-toggle").click(),
            "contents": lambda page: page.locator(".secondary-toggle").click(),
            "source menu": lambda page: page.locator(".dropdown-source-buttons button").click(),
        }.items():
            page.goto(f"{address}book/python/numpy.html", wait_until="load")
            page.evaluate(axe)
            page.evaluate(SCROLL)
            page.evaluate("scrollTo(0, 0)")
            action(page)
            page.wait_for_timeout(400)
            faults += [f"{part}, {theme}: {fault}" for fault in page.evaluate(AXE, [False, None])]
    assert not faults, "\n".join(faults)


def test_lighthouse(address):
    """Marks of a phone. Other programs on the machine only take marks away, so that the best of up to five tries counts."""
    urls = [f"{address}{name}.html" for name in MEASURED]
    command = [node_program(), "tests/site/lighthouse.mjs", find_chromium(), str(TRIES), *urls]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(urls)
    faults = [
        f"{result['url']}: {name} {result['scores'][name]}, at least {lowest} is asked for; lost: {result['lost']}"
        for result in results
        for name, lowest in LOWEST.items()
        if result["scores"][name] < lowest
    ]
    assert not faults, "\n".join(faults)
