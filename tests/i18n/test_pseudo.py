"""Pseudo-locales: longer, marked, mirrored; what is put in stays as it is."""

from __future__ import annotations

from portal.i18n import pseudo


def test_accented_text_is_marked_and_a_third_longer():
    said = pseudo.accented("Save the workflow now")

    assert said.startswith("[Šàṽé ţĥé ŵöŕķƒļöŵ ñöŵ ") and said.endswith("]")
    assert len(said) >= 1.3 * len("Save the workflow now")


def test_what_is_put_in_and_tags_stay():
    for change in (pseudo.accented, pseudo.mirrored):
        said = change("Hello <b>%(name)s</b>, %(num)d runs &amp; 5%% more")
        assert all(each in said for each in ("%(name)s", "<b>", "</b>", "%(num)d", "&amp;", "%%"))


def test_mirrored_words_end_what_they_begin():
    said = pseudo.mirrored("It's done")

    assert said == "\u202eIt's\u202c \u202edone\u202c"


def test_both_are_written_from_the_english_catalogue(tmp_path, monkeypatch):
    monkeypatch.setattr(pseudo, "FOLDER", tmp_path)
    pseudo.catalogue.cache_clear()

    assert pseudo.catalogue("en-XA").gettext("Save").startswith("[Šàṽé")
    assert "\u202e" in pseudo.catalogue("ar-XB").ngettext("%(num)d day ago", "%(num)d days ago", 3)
    pseudo.catalogue.cache_clear()
