"""Short formulas as MathML, which browsers show without a library: what quiz questions in a notebook need of TeX."""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(r"\\[A-Za-z]+\s*|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_SYMBOLS = {
    **{"cdot": "·", "times": "×", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "lt": "<", "gt": ">", "ne": "≠"},
    **{"neq": "≠", "approx": "≈", "pm": "±", "to": "→", "mapsto": "↦", "in": "∈", "sum": "∑", "prod": "∏", "int": "∫"},
    **{"partial": "∂", "nabla": "∇", "top": "⊤", "star": "⋆", "dots": "…", "ldots": "…", "cdots": "⋯", "odot": "⊙"},
    **{"lVert": "‖", "rVert": "‖", "lvert": "|", "rvert": "|", "langle": "⟨", "rangle": "⟩", "mid": "|", "perp": "⊥"},
    **{"propto": "∝", "sim": "∼", "ll": "≪", "gg": "≫", "circ": "∘", "colon": ":", "{": "{", "}": "}", "|": "‖"},
}
_LETTERS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "zeta": "ζ", "eta": "η"},
    **{"theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ"},
    **{"pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "chi": "χ"},
    **{"psi": "ψ", "omega": "ω", "varepsilon": "ε", "varphi": "φ"},
    **{"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ"},
    **{"Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"},
    **{"infty": "∞", "ell": "ℓ", "%": "%", "$": "$", "#": "#", "&": "&", "_": "_"},
}
_FUNCTIONS = ("arg", "cos", "det", "diag", "dim", "exp", "lim", "log", "ln", "max", "min", "sin", "tan")
_SPACES = {",": ".17em", ":": ".22em", ";": ".28em", " ": ".25em", "!": "0", "quad": "1em", "qquad": "2em"}
_ACCENTS = {"bar": "¯", "hat": "^", "tilde": "~", "vec": "→", "overline": "¯"}
_DOUBLE = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "E": "𝔼", "P": "ℙ"}
_SIZES = ("left", "right", "bigl", "bigr", "Bigl", "Bigr", "displaystyle")


class MathError(ValueError):
    """A formula that has no form here."""


def mathml(tex):
    """Return a formula as an element ``<math>``.

    Parameters
    ----------
    tex : str
        Without the dollar signs.

    Returns
    -------
    str

    Raises
    ------
    MathError
        If a command is not known, or braces do not match.

    Examples
    --------
    >>> mathml("x_1^2")
    '<math><msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup></math>'
    >>> mathml(r"\\mystery")
    Traceback (most recent call last):
        ...
    mlcourse.quizzes.mathml.MathError: \\mystery has no form in a notebook (in $\\mystery$)
    """
    tokens = [token.strip() or " " for token in _TOKEN.findall(tex)]
    tokens.reverse()
    try:
        body = _row(tokens, end=None)
    except IndexError:
        raise MathError(f"something is missing at the end of ${tex}$") from None
    except MathError as error:
        raise MathError(f"{error} (in ${tex}$)") from None
    return f"<math>{body}</math>"


def _row(tokens, end):
    """Read up to `end`; each base takes the scripts that follow it."""
    parts = []
    while tokens or end:
        token = tokens.pop()
        if token == end:
            return "".join(parts)
        if token == "}":
            raise MathError("a `}` too many")
        if token != " ":
            parts.append(_with_scripts(_atom(token, tokens), tokens))
    return "".join(parts)


def _with_scripts(base, tokens):
    scripts = {}
    while tokens and tokens[-1] in ("^", "_", "'"):
        mark = tokens.pop()
        if mark == "'":
            scripts["^"] = scripts.get("^", "") + "<mo>′</mo>"
        else:
            scripts[mark] = _argument(tokens)
    scripts = {mark: script if _is_one(script) else f"<mrow>{script}</mrow>" for mark, script in scripts.items()}
    tag = {"_^": "msubsup", "_": "msub", "^": "msup", "": ""}["".join(sorted(scripts, reverse=True))]
    return f"<{tag}>{base}{scripts.get('_', '')}{scripts.get('^', '')}</{tag}>" if tag else base


def _argument(tokens):
    token = tokens.pop()
    while token == " ":
        token = tokens.pop()
    return _row(tokens, "}") if token == "{" else _atom(token[0] if token.isdigit() else token, _rest(token, tokens))


def _rest(token, tokens):
    """TeX takes one digit as an argument: `\\frac12` is a half."""
    if token.isdigit() and len(token) > 1:
        tokens.append(token[1:])
    return tokens


def _atom(token, tokens):
    if token == "{":
        return f"<mrow>{_row(tokens, '}')}</mrow>"
    if token.startswith("\\"):
        return _command(token[1:] or " ", tokens)
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{token}</mi>"
    return f"<mo>{escape('−' if token == '-' else token, quote=False)}</mo>"


def _command(name, tokens):
    if name in _LETTERS:
        return f"<mi>{escape(_LETTERS[name])}</mi>"
    if name in _SYMBOLS:
        return f"<mo>{escape(_SYMBOLS[name])}</mo>"
    if name in _FUNCTIONS:
        return f"<mi>{name}</mi>"
    if name in _SPACES:
        return f'<mspace width="{_SPACES[name]}"></mspace>'
    if name in _SIZES:
        return ""
    if name in ("frac", "tfrac", "dfrac"):
        return f"<mfrac><mrow>{_argument(tokens)}</mrow><mrow>{_argument(tokens)}</mrow></mfrac>"
    if name == "sqrt":
        return f"<msqrt>{_argument(tokens)}</msqrt>"
    if name in ("text", "mathrm", "operatorname", "texttt"):
        return f"<mtext>{escape(_text(tokens), quote=False)}</mtext>"
    if name in ("mathbf", "boldsymbol"):
        return f'<mrow style="font-weight:bold">{_upright(_argument(tokens))}</mrow>'
    if name == "mathbb":
        letter = _text(tokens)
        if letter in _DOUBLE:
            return f"<mi>{_DOUBLE[letter]}</mi>"
    if name in _ACCENTS:
        return f'<mover accent="true"><mrow>{_argument(tokens)}</mrow><mo>{_ACCENTS[name]}</mo></mover>'
    raise MathError(f"\\{name} has no form in a notebook")


def _text(tokens):
    """The letters between braces, as they are."""
    letters = []
    if tokens.pop() != "{":
        raise MathError("a `{` is missing")
    while (token := tokens.pop()) != "}":
        letters.append(token)
    return "".join(letters)


def _upright(markup):
    return markup.replace("<mi>", '<mi mathvariant="normal">')


def _is_one(markup):
    """Tell whether it is a single element, as a script must be."""
    return len(re.findall(r"<m(?:i|n|o|text)\b", markup)) == 1 and markup.count("<m") == 1
