"""The options of a question: read, and refused with their line where they have a fault."""

import pytest

from mlcourse.quizzes import Option, QuizError, read_options
from mlcourse.quizzes.inline import to_html
from mlcourse.quizzes.mathml import MathError, mathml


def test_options_and_feedback_may_go_on():
    source = "- [ ] One\n  more.\n  > Because\n  > of that.\n\n- [x] Two.\n  > So."
    assert read_options(source) == (Option("One more.", False, "Because of that."), Option("Two.", True, "So."))
    assert read_options(source.split("\n")) == read_options(source)


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("- [ ] A\n  > a\n- [ ] B\n  > b", 0, "exactly one"),
        ("- [x] A\n  > a\n- [x] B\n  > b", 0, "exactly one"),
        ("- [x] A\n  > a", 0, "at least two options"),
        ("- [ ] A\n  > a\n- [x] B", 2, "'B' has no feedback"),
        ("- [ ] A\n  > a\nfree text", 2, "not part of a quiz question"),
        ("- [ ] A\n  > a\n- [x] a {term}`norm`\n  > b", 2, "has a link"),
        ("- [ ] A\n  > a\n- [x] $x$, $y$\n  > b", 2, "is only a formula"),
        ("- [ ] A\n  > a\n- [x] B\n  > Right: b", 3, "repeats the verdict"),
    ],
)
def test_faults(source, line, words):
    with pytest.raises(QuizError, match="fix:") as caught:
        read_options(source)
    assert caught.value.line == line
    assert words in caught.value.problem


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a < b & `c < d`", "a &lt; b &amp; <code>c &lt; d</code>"),
        ("**bold** and *not*", "<strong>bold</strong> and <em>not</em>"),
        ("`a * b * c`", "<code>a * b * c</code>"),
        ("[a](https://example.org/x?y=1)", '<a href="https://example.org/x?y=1">a</a>'),
        (r"5 \$ or 6 \$", "5 $ or 6 $"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
    ],
)
def test_markdown_in_a_line(markdown, html):
    assert to_html(markdown) == html


@pytest.mark.parametrize(
    ("tex", "inner"),
    [
        ("x", "<mi>x</mi>"),
        ("-0.9", "<mo>−</mo><mn>0.9</mn>"),
        ("a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
        ("10^6", "<msup><mn>10</mn><mn>6</mn></msup>"),
        (r"\frac2n", "<mfrac><mrow><mn>2</mn></mrow><mrow><mi>n</mi></mrow></mfrac>"),
        (r"\frac12", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\sqrt{d}", "<msqrt><mi>d</mi></msqrt>"),
        (r"\lambda_{\max}", "<msub><mi>λ</mi><mi>max</mi></msub>"),
        (r"\mathbf{x}", '<mrow style="font-weight:bold"><mi mathvariant="normal">x</mi></mrow>'),
        (r"\bar y", '<mover accent="true"><mrow><mi>y</mi></mrow><mo>¯</mo></mover>'),
        ("x_{i+1}", "<msub><mi>x</mi><mrow><mi>i</mi><mo>+</mo><mn>1</mn></mrow></msub>"),
        ("f'", "<msup><mi>f</mi><mo>′</mo></msup>"),
        (r"\text{if } x", "<mtext>if </mtext><mi>x</mi>"),
        (r"\mathbb{R}^d", "<msup><mi>ℝ</mi><mi>d</mi></msup>"),
    ],
)
def test_formulas(tex, inner):
    assert mathml(tex) == f"<math>{inner}</math>"


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"\mystery{x}", r"\\mystery has no form"),
        ("x_{i", "missing at the end"),
        ("x}", "too many"),
        (r"\frac{1}", "missing at the end"),
    ],
)
def test_formulas_that_have_no_form_are_refused(tex, words):
    with pytest.raises(MathError, match=words):
        mathml(tex)
