"""The search finds: terms, function names, synonyms, British spellings and typing errors lead to the right page."""

import pytest

from tests.site.browser import needs_chromium

pytestmark = needs_chromium

VECTORS, NUMPY, REGRESSION = "math/vectors", "python/numpy", "classical/linear-regression"
TREES = "classical/decision-trees"
AUTOGRAD = "neural/tensor-and-autograd"
MLP = "neural/multilayer-perceptron"
OPTIMIZERS = "neural/optimizers"
BASICS, CLUSTERING = "python/basics", "classical/clustering"
SVM = "classical/support-vector-machines"
WHY_GPUS = "gpu/why-gpus"
FIRST_KERNELS = "gpu/first-kernels"
MEMORY = "gpu/memory-hierarchy"
PATTERNS = "gpu/parallel-patterns"
MATMUL = "gpu/matrix-multiply"
GLOSSARY, NOTATION, USE, TEACH, CONTRIBUTING = "glossary", "notation", "how-to-use", "teach", "contributing"
FIRST = 3

QUERIES = {
    # terms
    "broadcasting": NUMPY,
    "strides": NUMPY,
    "cosine similarity": VECTORS,
    "projection": VECTORS,
    "triangle inequality": VECTORS,
    "Cauchy-Schwarz": VECTORS,
    "cross product": VECTORS,
    "curse of dimensionality": VECTORS,
    "least squares": REGRESSION,
    "normal equations": REGRESSION,
    "residual plot": REGRESSION,
    "confidence interval": REGRESSION,
    "leverage": REGRESSION,
    "multicollinearity": REGRESSION,
    "bootstrap": REGRESSION,
    "heteroscedasticity": GLOSSARY,
    "condition number": REGRESSION,
    "fancy indexing": NUMPY,
    "views and copies": NUMPY,
    "overflow": NUMPY,
    "data leakage": GLOSSARY,
    "Gini impurity": TREES,
    "information gain": TREES,
    "cost-complexity pruning": TREES,
    "f-strings": BASICS,
    "doctest": BASICS,
    "short-circuit evaluation": BASICS,
    "traceback": BASICS,
    "confusion matrix": GLOSSARY,
    "computation graph": AUTOGRAD,
    "vector-Jacobian product": AUTOGRAD,
    "gradient check": AUTOGRAD,
    "exclusive or": MLP,
    "vanishing signal": MLP,
    "He initialization": MLP,
    "early stopping": MLP,
    "overfit one batch": MLP,
    "bias correction": OPTIMIZERS,
    "noise floor": OPTIMIZERS,
    "learning-rate range test": OPTIMIZERS,
    "k-means": CLUSTERING,
    "silhouette": CLUSTERING,
    "Lloyd's algorithm": CLUSTERING,
    "kernel trick": SVM,
    "support vector": SVM,
    "soft margin": SVM,
    "KKT conditions": SVM,
    "working set selection": SVM,
    "roofline": WHY_GPUS,
    "arithmetic intensity": WHY_GPUS,
    "Amdahl's law": WHY_GPUS,
    "warp divergence": WHY_GPUS,
    "memory coalescing": MEMORY,
    "bank conflicts": MEMORY,
    "structure of arrays": MEMORY,
    "occupancy": MEMORY,
    "grid-stride loop": FIRST_KERNELS,
    "launch configuration": FIRST_KERNELS,
    "lost update": FIRST_KERNELS,
    "saxpy": FIRST_KERNELS,
    "blockIdx threadIdx": FIRST_KERNELS,
    "parallel reduction": PATTERNS,
    "prefix sum": PATTERNS,
    "Kahan summation": PATTERNS,
    "stream compaction": PATTERNS,
    "decoupled look-back": PATTERNS,
    "register tile": MATMUL,
    "double buffering": MATMUL,
    "cuBLAS": MATMUL,
    # function names
    "float4": MEMORY,
    "cp.async": MATMUL,
    "np.einsum": NUMPY,
    "einsum": NUMPY,
    "np.linalg.norm": VECTORS,
    "np.linalg.lstsq": REGRESSION,
    "np.where": NUMPY,
    "default_rng": NUMPY,
    "LinearRegression": REGRESSION,
    "MiniBatchKMeans": CLUSTERING,
    "StandardScaler": REGRESSION,
    "DecisionTreeClassifier": TREES,
    "mlcourse grade": TEACH,
    "mlcourse check": USE,
    "reshape(-1": NUMPY,
    "AdamW": OPTIMIZERS,
    "clip_gradients": OPTIMIZERS,
    "math.isclose": BASICS,
    "casefold": BASICS,
    "load_book_text": BASICS,
    "no_grad": AUTOGRAD,
    # synonyms
    "inner product": VECTORS,
    "scalar product": VECTORS,
    "length of a vector": VECTORS,
    "perpendicular": VECTORS,
    "ordinary least squares": REGRESSION,
    "OLS": REGRESSION,
    "mean squared error": REGRESSION,
    "ndarray": NUMPY,
    "random seed": NUMPY,
    "data type": NUMPY,
    "character encoding": BASICS,
    "unicode": BASICS,
    "integer division": BASICS,
    "assignment": BASICS,
    "gradebook": TEACH,
    "backprop": AUTOGRAD,
    "autodiff": AUTOGRAD,
    "half precision": WHY_GPUS,
    "GEMM": MATMUL,
    "dense layer": MLP,
    "log loss": MLP,
    "CART": TREES,
    "overfitting depth": TREES,
    "Rand index": CLUSTERING,
    # British spellings
    "normalise": VECTORS,
    "standardise": REGRESSION,
    "vectorisation": NUMPY,
    "generalisation": GLOSSARY,
    "neighbour": VECTORS,
    "normalising text": BASICS,
    "modelling": REGRESSION,
    "initialisation": MLP,
    # typing errors
    "brodcasting": NUMPY,
    "regresion": REGRESSION,
    "orthagonal": VECTORS,
    "eucledian": VECTORS,
    "residaul": REGRESSION,
    "glosary": GLOSSARY,
    # the other pages
    "bold lowercase letters": NOTATION,
    "symbols": NOTATION,
    "pull request": CONTRIBUTING,
    "Colab": USE,
    "install": USE,
}

FIND = """async (query) => {
  const bundle = document.querySelector("script[src*='bundle.js']").src;
  const { find } = await import(bundle.replace("bundle.js", "search.mjs"));
  return (await find(query)).pages.map((page) => page.url);
}"""


def test_every_query_finds_its_page_among_the_first_three(address, new_page):
    page = new_page()
    page.goto(f"{address}book/index.html")
    faults = {}
    for query, wanted in QUERIES.items():
        pages = [url.split("/mlcourse/")[1] for url in page.evaluate(FIND, query)]
        found = [name.removeprefix("book/").removesuffix(".html") for name in pages]
        if wanted not in found[:FIRST]:
            faults[query] = f"{wanted} is not among {found[:FIRST]}"
    assert len(QUERIES) >= 40
    assert faults == {}


def test_nothing_of_the_search_is_loaded_before_it_is_used(address, new_page):
    page = new_page(viewport={"width": 1280, "height": 900})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}book/math/vectors.html", wait_until="networkidle")
    assert [url for url in asked if "search" in url.rsplit("/", 1)[1] or "pagefind" in url] == []
    page.keyboard.press("Control+k")
    page.wait_for_function("performance.getEntriesByType('resource').some((r) => r.name.includes('pagefind'))")


def test_search_by_keyboard_alone(address, new_page):
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/math/vectors.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("residual")
    page.wait_for_selector(".search-results a")
    assert "page" in page.inner_text("#pst-search-dialog [role=status]")
    page.keyboard.press("ArrowDown")
    first = page.evaluate("document.activeElement.href")
    assert "book/classical/linear-regression" in first
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{first}*")


def test_escape_closes_the_search(address, new_page):
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/index.html")
    page.locator(".search-button__button:visible").first.click()
    page.keyboard.type("norm")
    page.wait_for_selector(".search-results a")
    page.keyboard.press("Escape")
    if page.locator("#pst-search-dialog[open]").count():  # the first Escape may only empty the field
        page.keyboard.press("Escape")
    assert page.locator("#pst-search-dialog[open]").count() == 0


def test_search_page_answers_the_query_of_its_address(address, new_page):
    page = new_page()
    page.goto(f"{address}search.html?q=broadcasting")
    page.wait_for_selector(".search-article .search-results a")
    links = page.locator(".search-article .search-results a").evaluate_all("links => links.map(a => a.href)")
    assert any("book/python/numpy.html#" in link for link in links)


def test_a_part_of_a_page_leads_to_its_heading(address, new_page):
    page = new_page()
    page.goto(f"{address}search.html?q=cosine similarity")
    page.locator(".search-results a.search-part").first.click()
    page.wait_for_url("**/book/**#*")
    assert page.evaluate("document.getElementById(location.hash.slice(1)) !== null")


def test_search_says_what_it_found_instead_and_when_it_found_nothing(address, new_page):
    page = new_page()
    page.goto(f"{address}search.html?q=brodcasting")
    page.wait_for_function(
        "document.querySelector('.search-article .search-status').textContent.includes('for “broadcasting”')"
    )
    page.locator(".search-article input").fill("xqzjwv")
    page.wait_for_function(
        "document.querySelector('.search-article .search-status').textContent.startsWith('Nothing was found')"
    )


@pytest.mark.parametrize("name", ["search.mjs", "search-field.js"])
def test_the_search_of_our_own_is_small(built_site, name):
    assert (built_site / "_static" / name).stat().st_size < 8000
