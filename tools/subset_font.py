"""Make book/_static/fonts from the npm package @fontsource-variable/literata (SIL Open Font License, no reserved name).

    npm install --no-save @fontsource-variable/literata
    .venv/bin/python tools/subset_font.py node_modules/@fontsource-variable/literata

Kept are the letters of English text and of most European names, and the weights from 400 to 700 (italic: 400).
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

LETTERS = "".join(map(chr, range(0x20, 0x7F))) + "\u00a0·×–—‘’“”…−áâäåçéèêíïñóôöøßúüł"
FEATURES = ["kern", "liga"]
FOLDER = Path(__file__).parents[1] / "book/_static/fonts"


def subset(source, target, weights):
    """Write the part of a font that the site uses."""
    font = TTFont(source)
    subsetter = Subsetter(Options(layout_features=FEATURES, hinting=False, notdef_outline=True))
    subsetter.populate(text=LETTERS)
    subsetter.subset(font)
    font.flavor, part = None, BytesIO()
    font.save(part)
    font = instantiateVariableFont(TTFont(part), {"wght": weights})
    font.flavor = "woff2"
    font.save(target)
    print(f"{target.name}: {target.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    package = Path(sys.argv[1])
    FOLDER.mkdir(exist_ok=True)
    subset(package / "files/literata-latin-wght-normal.woff2", FOLDER / "literata.woff2", (400, 700))
    subset(package / "files/literata-latin-wght-italic.woff2", FOLDER / "literata-italic.woff2", 400)
    shutil.copy(package / "LICENSE", FOLDER / "OFL.txt")
