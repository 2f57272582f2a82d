"""Makes the two fonts of the reports from Noto Sans SC, as the npm package `@expo-google-fonts/noto-sans-sc` has it.

    PYTHONPATH=. python deploy/fonts.py NotoSansSC_400Regular.ttf NotoSansSC_700Bold.ttf

The text font keeps every character of GB 2312 (6763 of them Chinese), the heading font those of its first level (3755);
both keep ASCII, the punctuation that the pages use and nothing else: no hinting, no layout tables. Run it again only
when the fonts themselves are to change; what it makes is committed beside their licence (OFL-1.1).
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset

from scoring.reports.letters import SIGNS

FONTS = Path(__file__).resolve().parents[1] / "scoring" / "reports" / "fonts"
_ROWS = {"Regular": range(0xB0, 0xF8), "Bold": range(0xB0, 0xD8)}  # GB 2312: the second level begins in row 56


def characters(rows: range) -> Iterator[str]:
    """ASCII, GB 2312's signs, and the Chinese characters of these rows."""
    yield from map(chr, range(0x20, 0x7F))
    yield from SIGNS
    for row in (*range(0xA1, 0xAA), *rows):
        for cell in range(0xA1, 0xFF):
            yield from bytes((row, cell)).decode("gb2312", "ignore")


def make(source: Path, style: str) -> Path:
    """Write one subset, and return where it is."""
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2, 4, 6, 13, 14], notdef_outline=True)
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(characters(_ROWS[style])))
    cutter.subset(font)
    made = FONTS / f"NotoSansSC-{style}.ttf"
    subset.save_font(font, str(made), options)
    return made


def main() -> None:
    """Make both."""
    for source, style in zip(sys.argv[1:], _ROWS, strict=True):
        made = make(Path(source), style)
        sys.stdout.write(f"{made.name}: {made.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
