"""Which passwords may not be chosen: too short, well known, or built around words that anybody would try here. Nothing leaves the house.

NIST 800-63B-4: a length, a list, and no rules of composition. The list and the sense for patterns (repeats, keyboard walks, letters
swapped for digits) are zxcvbn's; Arabic it does not know, so well-known Arabic ones stand here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from portal.i18n import formats
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext

SHORTEST = 15
SHORTEST_WITH_FACTOR = 12
LONGEST = 1024
# Guesses, as a power of ten. Below it a password falls to a stolen hash within hours, however long it is.
MIN_GUESSES_LOG10 = 8.0
JUDGED = 72  # characters; more cost time and tell nothing new
OWN_PART = 8  # letters that must remain when the words of the house are taken out
PRODUCT = ("nasij", "نسيج", "password", "workflow")
WELL_KNOWN_AR = (
    "كلمة السر", "كلمة المرور", "كلمه السر", "الرقم السري", "بسم الله الرحمن الرحيم", "بسم الله", "الحمد لله", "الحمد لله رب العالمين",
    "لا اله الا الله", "لا إله إلا الله محمد رسول الله", "سبحان الله", "سبحان الله وبحمده", "الله اكبر", "استغفر الله", "محمد رسول الله",
    "السلام عليكم", "السلام عليكم ورحمة الله وبركاته", "صلى الله عليه وسلم", "توكلت على الله", "ما شاء الله", "ان شاء الله",
    "حسبي الله ونعم الوكيل", "قل هو الله احد", "مرحبا", "اهلا وسهلا", "صباح الخير", "مساء الخير", "احبك", "حبيبي", "حبيبتي", "يا رب",
    "المملكة العربية السعودية", "السعودية", "الامارات", "مصر ام الدنيا", "الرياض", "جدة", "القاهرة", "دبي", "الهلال", "النصر", "الاتحاد",
    "الاهلي", "الزمالك", "محمد", "احمد", "عبدالله", "عبد الرحمن", "فاطمة", "نورة", "ابجد هوز", "ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرلاىةوزظ",
)  # fmt: skip


def problems_of(password: str, *, words: Iterable[str] = (), shortest: int = SHORTEST) -> list[str]:
    """Say what is wrong with a new password; nothing when it may be used.

    Args:
        words: names that anybody would try for this account: person, address, organisation, in both scripts.
    """
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) < shortest:
        said = ngettext("Use at least %(num)s character.", "Use at least %(num)s characters.", shortest, num=formats.number(shortest))
        return [said + " " + _("A few words that only you would put together are easy to remember.")]
    if len(normal) > LONGEST:
        return [_("Use at most %(number)s characters.", number=formats.number(LONGEST))]
    context = _folded((*words, *PRODUCT))
    if _is_well_known(normal, context):
        return [_("This password is easy to guess: it repeats, or is made of what many people use. Choose another.")]
    rest = _rest(fold(normal), (*_well_known_ar(), *context))
    if rest is not None and rest < OWN_PART:
        return [_("This password is built around a name that others would try here. Choose another.")]
    return []


def _folded(words: Iterable[str]) -> tuple[str, ...]:
    found = {fold(word) for given in words for word in (given, *given.replace("@", " ").replace(".", " ").split())}
    return tuple(sorted((word for word in found if len(word) >= 4), key=len, reverse=True))


def _is_well_known(password: str, context: tuple[str, ...]) -> bool:
    if len(set(password.casefold())) < 5:
        return True
    # Loaded when the first password is chosen: its lists take a tenth of a second, and most processes never need them.
    from zxcvbn import zxcvbn

    known = [*context, *_well_known_ar()]
    return any(
        zxcvbn(judged[:JUDGED], user_inputs=known)["guesses_log10"] < MIN_GUESSES_LOG10 for judged in {password, fold(password)} if judged
    )


def _rest(folded: str, context: tuple[str, ...]) -> int | None:
    """Return how many letters and digits remain without the words of the house, None where none of them stands in it.

    Digits at the end are no more than an ornament.
    """
    rest = folded
    for word in context:
        rest = rest.replace(word, "")
    return None if rest == folded else sum(mark.isalnum() for mark in rest.rstrip("0123456789 "))


@lru_cache(maxsize=1)
def _well_known_ar() -> tuple[str, ...]:
    folded = [fold(phrase) for phrase in WELL_KNOWN_AR]
    return tuple(sorted({*folded, *(phrase.replace(" ", "") for phrase in folded)}, key=len, reverse=True))
