"""Fold text for search, sorting and comparison: the same Arabic word in its usual spellings becomes one key. Pure."""

import unicodedata

# Harakat, superscript alef, tatweel, bidi controls, joiners: seen or unseen, they never tell two words apart.
_DROPPED = [*range(0x64B, 0x660), 0x670, 0x640, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C]
_DIGITS = {chr(start + i): str(i) for start in (0x660, 0x6F0) for i in range(10)}
_LETTERS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "ی": "ي"}
_FOLD = str.maketrans({**_LETTERS, **_DIGITS, **{chr(each): None for each in _DROPPED}})
_ASCII = str.maketrans({**_DIGITS, "٫": ".", "٬": ",", "−": "-"})


def fold(text: str) -> str:
    """Return the search and sort key of a text."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_FOLD).split())


def ascii_digits(text: str) -> str:
    """Return the text with Arabic-Indic and Persian digits and separators as ASCII ones."""
    return text.translate(_ASCII)
