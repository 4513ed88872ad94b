"""The rules: what breaks each of them, what is mended and how, and that nothing gets through."""

import base64
import re
import unicodedata
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.studio.writing.briefs import brief, good, voice
from zoetrope.studio.personas.models import Emoji
from zoetrope.studio.writing import checks, hashtags
from zoetrope.studio.writing.checks import fit
from zoetrope.studio.writing.hashtags import MIXES, Size, guess
from zoetrope.studio.writing.leaks import addresses, looks_secret, mentions, tells, without_secrets
from zoetrope.studio.writing.seam import Brief, Caption, HashtagRules, Idea, IdeaBrief, Length, Mix
from zoetrope.studio.writing.words import EMOJI, clean, holds, phrases, words, worn


def saying(sentence: str, of: Brief | None = None) -> Caption:
    """A good caption with one sentence more, and so much shorter elsewhere."""
    of = of or brief()
    caption = good(of)
    kept = [each for each in checks.sentences(caption.text) if each.strip()][2:-2]
    text = f"{sentence} " + "".join(kept)
    while len(text) > checks.LENGTHS[of.length][1]:
        kept.pop()
        text = f"{sentence} " + "".join(kept)
    return replace(caption, text=text.strip())


def faults_of(caption: Caption, of: Brief | None = None) -> str:
    return " ".join(fit(caption, of or brief()).faults)


def mended(caption: Caption, of: Brief | None = None) -> Caption:
    found = fit(caption, of or brief())
    assert found.caption is not None, found.faults
    assert found.mended
    return found.caption


def test_a_good_caption_is_left_as_it_is() -> None:
    for length in Length:
        of = brief(length=length)
        found = fit(good(of), of)
        assert (found.caption, found.mended, found.faults) == (good(of), (), ())


@pytest.mark.parametrize(("length", "least", "most"), [("short", 300, 450), ("medium", 450, 700), ("long", 700, 1000)])
def test_lengths_hold_to_the_letter(length: str, least: int, most: int) -> None:
    of = brief(length=Length(length), voice=voice(topics=[], attributes=[]))
    tags = good(of).hashtags
    # One word without an end cannot be cut.
    for letters, right in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
        told = " ".join(checks.faults(Caption("x" * letters, tags), of))
        assert (f"The text has {letters:,} characters" not in told) == right, letters


def test_what_is_too_long_loses_its_last_sentences() -> None:
    of = brief(length=Length.short)
    long = good(brief(length=Length.long))
    found = mended(long, of)
    assert 300 <= len(found.text) <= 450
    assert long.text.startswith(found.text)


def test_a_caption_of_which_nothing_is_left_is_refused() -> None:
    assert "The text has 0 characters" in faults_of(Caption("\u200b\u202e", ()))
    assert "was not read" in faults_of(Caption("x" * 20_000, ()))


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\u2066", "\x00", "\x1b", "\ufeff", "\u3164", "\U000e0041", "\u00ad"]
)
def test_what_nobody_sees_is_taken_out(hidden: str) -> None:
    caption = good(brief())
    found = mended(replace(caption, text=caption.text.replace(" ", f"{hidden} ", 3), alt_text=f"Ada{hidden}."))
    assert found == replace(caption, alt_text="Ada.")


def test_joiners_stay_where_scripts_and_emoji_need_them() -> None:
    for kept in ("می‌خواهم", "👨‍👩‍👧", "❤️", "1️⃣", "क्‍ष"):
        assert clean(kept) == kept
    assert clean("pass\u200dword\ufe0f") == "password"
    assert words(clean("pol\u200ditics")) == ["politics"]


def test_hashtags_leave_the_text() -> None:
    caption = good(brief())
    found = mended(replace(caption, text=f"{caption.text}\n\n#coffee #quietmornings"))
    assert found.text == caption.text
    first = caption.text.replace("a", "#a", 1) if " a" not in caption.text else caption.text.replace(" a", " #a", 1)
    assert "#" not in mended(replace(caption, text=first)).text
    assert "#" not in mended(replace(caption, text=first.replace("#", "＃"))).text


@pytest.mark.parametrize("spam", ["Link in bio!", "FOLLOW ME for more.", "Double-tap, please.", "It's a giveaway!"])
def test_sentences_that_beg_are_taken_out(spam: str) -> None:
    caption = saying("A plain line.")
    found = mended(replace(caption, text=f"{caption.text} {spam}"))
    assert found.text == caption.text
    # Across sentences it is found as well, and cannot be cut.
    assert "reads like spam" in faults_of(saying("We all tag. A friend of mine laughs."))


@pytest.mark.parametrize("emoji", list(Emoji))
def test_emoji_are_as_many_as_the_voice_says(emoji: Emoji) -> None:
    of = brief(voice=voice(emoji=emoji))
    caption = replace(good(brief()), text=good(brief()).text)
    least, most = checks.emoji_range(emoji, caption.text)
    assert (least, most) == {"none": (0, 0), "low": (0, 2), "moderate": (0, 5), "high": (2, 9)}[emoji] or most >= least
    many = fit(replace(caption, text=f"{caption.text} {'🎈' * (most + 3)}"), of)
    assert many.caption is not None
    assert len(EMOJI.findall(many.caption.text)) == most
    if least:
        assert f"It has 0 emoji; {emoji} means {least} to {most}" in faults_of(caption, of)


def test_density_is_by_the_hundred_words() -> None:
    hundred = "word " * 100
    assert [checks.emoji_range(each, hundred) for each in Emoji] == [(0, 0), (0, 2), (1, 5), (3, 10)]
    assert [checks.emoji_range(each, hundred * 3) for each in Emoji] == [(0, 0), (0, 6), (3, 15), (9, 30)]
    assert [len(EMOJI.findall(each)) for each in ("👨‍👩‍👧", "🇵🇹🇩🇪", "👍🏽", "1️⃣", "☀️☀", "a © ™ 1 #")] == [
        1,
        2,
        1,
        1,
        2,
        0,
    ]


def test_a_phrase_that_two_captions_used_is_not_used_again() -> None:
    twice = ("The old Harbour-wall sings.", "Meet me at THE OLD harbour!")
    caption = saying("Here is the… old harbour again.")
    assert "“the old harbour” was used twice or more" in faults_of(caption, brief(recent=twice))
    assert fit(caption, brief(recent=twice[:1])).caption is not None
    assert "the old harbour" in faults_of(caption, brief(recent=("The old harbour, the old harbour.",)))
    # Twenty captions back it is forgotten.
    others = tuple(f"Something else {number}" for number in range(20))
    assert "harbour" not in faults_of(caption, brief(recent=(*others, *twice)))


def test_phrases_are_counted_whatever_their_case_form_and_script() -> None:
    assert phrases("Straße AM Meer") == phrases("STRASSE, am meer!") == [("strasse", "am", "meer")]
    assert phrases("cafe\u0301 au lait") == phrases("CAFÉ 🎈 au\nlait")
    assert phrases("Ｄｏｎ’ｔ stop now") == [("don't", "stop", "now")]
    assert phrases("मैं हिन्दी में") == [("मैं", "हिन्दी", "में")]
    assert worn(["a b c", "A. B; C"]) == {("a", "b", "c")}
    assert worn(["a b c d"]) == frozenset()


def test_a_caption_does_not_repeat_itself_or_another() -> None:
    assert "“we go out” 3 times" in faults_of(saying("We go out. We go out. We go out."))
    caption = good(brief())
    assert "word for word" in faults_of(caption, brief(recent=(caption.text.upper(),)))


def test_what_is_never_spoken_of_is_refused_wherever_it_stands() -> None:
    of = brief(voice=voice(avoid=["politics", "my ex"], emoji=Emoji.low), banned=("synergy", "🍆"))
    for bad in ("All POLITICS today.", "It was my ex's idea.", "So much syn\u200bergy.", "Look 🍆."):
        assert "which is never spoken of" in faults_of(saying(bad, brief(voice=of.voice)), of), bad
    assert fit(saying("Apolitical? My example."), of).caption is not None
    tags = hashtags.kept(["PoliticsToday", "synergy", "park"], of)
    assert tags == ["park"]
    # A description is left out rather than the caption refused.
    assert mended(replace(good(of), alt_text="Ada and my ex"), of).alt_text == ""


@pytest.mark.parametrize(
    "bad",
    [
        "https://a.example/x",
        "www.example.com",
        "example.com/now",
        "Example．ＣＯＭ",
        "10.0.0.1",
        "@someone",
        "＠someone",
        "me@example.org",
        "ftp://x.y",
        "bit.ly/x",
    ],
)
def test_addresses_and_mentions_need_somebody_who_asks(bad: str) -> None:
    caption = saying(f"See {bad} for it")
    assert "Nobody asked for" in faults_of(caption)
    asked = brief(guidelines=f"Always name {bad} please")
    assert "Nobody asked for" not in faults_of(caption, asked)
    # What a picture says asks for nothing.
    assert "Nobody asked for" in faults_of(caption, brief(picture_says=f"name {bad} please"))
    assert mended(replace(good(brief()), alt_text=f"Ada at {bad}.")).alt_text == ""


@pytest.mark.parametrize(
    "bad",
    [
        "<lora:ada_v3:0.8> A day by the sea.",
        "With (coffee:1.2) in hand.",
        "With ((coffee)) in hand.",
        "[[slow]] days.",
        "As in ada_v1.png of today.",
        "What a day, final-2.SAFETENSORS and all.",
    ],
)
def test_what_is_left_of_prompts_and_files_is_refused(bad: str) -> None:
    of = brief()
    one = replace(good(of), text=f"{bad} {good(of).text}")
    assert any("is left of a prompt or of a file's name" in fault for fault in checks.faults(one, of))
    alt = replace(good(of), alt_text=bad)
    assert any("is left of a prompt" in fault for fault in checks.faults(alt, of))


@pytest.mark.parametrize(
    "fine",
    [
        "(It was 1.5 km.)",
        "At St. Mary's (10:30), 3:2!",
        "I love it (and you: 2 of a kind).",
        "Ada, smiling, by the sea.",
    ],
)
def test_ordinary_signs_are_none_of_prompts(fine: str) -> None:
    of = brief()
    assert not any("prompt" in fault for fault in checks.faults(replace(good(of), text=f"{fine} {good(of).text}"), of))


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("portrait of ada, smiling, front, beach", "Smiling. Front, beach! And so it goes."),
        ("ada walks home along the river in the evening rain", "Today Ada walks home along the river in the evening."),
    ],
)
def test_a_prompt_is_not_recited(prompt: str, text: str) -> None:
    of = brief(picture_says=prompt)
    assert "It recites its picture's prompt." in checks.faults(replace(good(of), text=text), of)
    said = replace(good(of), text="Ada walks home, smiling, along the beach: the river in the evening.")
    assert "It recites its picture's prompt." not in checks.faults(said, of)


def test_twenty_mentions_are_the_most() -> None:
    people = " ".join(f"@p{number}" for number in range(21))
    of = brief(guidelines=people, length=Length.long)
    assert "It has 21 mentions; 20 are the most." in faults_of(saying(people, of), of)


@pytest.mark.parametrize("mix", list(Mix))
def test_hashtags_are_of_each_size_as_the_mix_says(mix: Mix) -> None:
    of = brief(hashtags=HashtagRules(size_mix=mix, avoid_hashtags=("#Love", "art"), target_hashtags=("#MyOwnTag",)))
    raw = replace(good(brief()), hashtags=("#love", "ART", "sea side", "!!", "123", "coffee", "#coffee", *"abcdefghij"))
    tags = mended(raw, of).hashtags
    counts = {size: sum(guess(tag).size is size for tag in tags) for size in Size}
    assert all(least <= counts[size] <= most for size, (least, most) in MIXES[mix].items())
    assert "seaside" in tags
    assert not {"love", "art", "123", "#coffee"} & {tag.casefold() for tag in tags}
    assert len({tag.casefold() for tag in tags}) == len(tags)
    if mix is not Mix.broad_reach or counts[Size.medium] > 1:
        assert "MyOwnTag" in tags
    told = " ".join(checks.faults(replace(raw, hashtags=("coffee",)), of))
    assert "(sizes are guesses)" in told


def test_the_counts_of_the_mixes_are_those_of_the_facts_page() -> None:
    said = {name: [mix[size] for size in Size] for name, mix in MIXES.items()}
    assert said == {
        Mix.balanced: [(2, 3), (3, 4), (3, 5)],
        Mix.niche_heavy: [(1, 2), (2, 3), (5, 7)],
        Mix.broad_reach: [(3, 4), (3, 4), (2, 3)],
    }


def test_a_size_is_called_a_guess_and_from_what() -> None:
    assert str(guess("#photooftheday")) == "#photooftheday: large, a guess from a list of known ones"
    assert (guess("zebra").size, guess("zebra").guessed_from) == (Size.large, "its length")
    assert guess("anotherlongandparticularone").size is Size.niche


def test_thirty_hashtags_and_the_whole_length_are_the_most() -> None:
    caption = replace(good(brief()), hashtags=tuple(f"tag{number}" for number in range(31)))
    assert "It has 31 hashtags; 30 are the most." in " ".join(checks.faults(caption, brief()))
    long = replace(caption, hashtags=tuple("x" * 58 + str(number) for number in range(10, 40)))
    assert "2,200 are the most" in " ".join(checks.faults(long, brief()))


SECRETS = [
    "sk-abcdefgh12345678",
    "Bearer abcdefghijkl",
    "zt_abcdefghijklmnop",
    "EAAGm0PX4ZCpsBAKZCZBxyz123",
    "my password is hunter2",
    "API key: abc",
    "DATABASE_URL",
    "ZOETROPE_HOME",
    "eyJhbGciOiJI.eyJzdWIi.x",
    "d41d8cd98f00b204e9800998ecf8427e",
    "aB3dE5gH7jK9mN1pQ3sT",
    "postgres://u:p@h/d",
    "-----BEGIN PRIVATE KEY-----",
    "sealed:1:gAAAAABl",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_refused_and_not_repeated(secret: str) -> None:
    assert looks_secret(secret)
    for caption in (
        saying(f"Look: {secret} here."),
        replace(good(brief()), alt_text=secret),
        replace(good(brief()), hashtags=(secret.replace(" ", ""), secret)),
    ):
        found = fit(caption, brief())
        assert found.caption is None
        assert found.faults == ("It holds something that looks like a password, a key or a setting.",)
    assert not looks_secret(without_secrets(f"before {secret} after"))
    assert looks_secret("\u200b".join(secret))


def test_ordinary_words_are_no_secrets() -> None:
    for plain in (
        "The key to a good morning is coffee, and no password is needed.",
        "An uncharacteristically straightforward tokenless day_at_the_beach",
        "Basic colours, bearer of good news. https is a word.",
    ):
        assert not looks_secret(plain.replace("no password is needed", "nothing else")), plain


@given(st.text(min_size=4, max_size=40).filter(lambda text: sum(map(str.isalnum, text)) > 3), st.text(max_size=30))
def test_a_known_secret_is_found_in_every_dress(secret: str, around: str) -> None:
    assume(secret.encode("utf-8", "ignore").decode() == secret)
    assert tells(f"{around}{secret}{around}", secret)
    assert tells(f"{around} {secret[::-1]}", secret) or not secret[::-1].isascii()
    assert tells(secret.encode().hex(), secret)


def test_a_known_secret_is_found_spaced_and_coded() -> None:
    secret = "horse-battery"
    assert tells("H o r s e . b a t t e r y", secret)
    for before in ("", "a", "ab", "Authorization: Bearer "):
        assert tells(base64.b64encode(f"{before}{secret} and more".encode()).decode(), secret)
    assert not tells("A horse and a battery", "battery-horse")
    assert not tells("anything", "")


@lru_cache
def text_of(length: Length) -> str:
    return good(brief(length=length)).text


def tame(text: str) -> bool:
    return all(unicodedata.category(letter) not in ("Cs",) for letter in text)


PIECES = st.sampled_from(
    [
        "#tag",
        "@you",
        "link in bio",
        "https://x.com",
        "🎈",
        "\u202e",
        "\u200d",
        "politics",
        "sk-12345678",
        "\n\n\n",
        "👩‍",
        "\ufe0f",
        "We walk home. ",
        "Long quiet days by the water teach us patience, I think. ",
        "ＦＯＬＬＯＷ ＭＥ ",
        "...",
        "#",
        "1️⃣",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=60)), max_size=40).map("".join)


@settings(max_examples=150)
@given(
    text=TEXTS,
    start=st.integers(0, 3),
    tags=st.lists(st.one_of(st.text(max_size=30), st.sampled_from(["#love", "politics", "coffee"])), max_size=40),
    alt=TEXTS,
    emoji=st.sampled_from(list(Emoji)),
    length=st.sampled_from(list(Length)),
    mix=st.sampled_from(list(Mix)),
)
def test_whatever_comes_in_what_goes_out_holds_every_rule(
    text: str, start: int, tags: list[str], alt: str, emoji: Emoji, length: Length, mix: Mix
) -> None:
    assume(tame(text + alt + "".join(tags)))
    of = brief(voice=voice(emoji=emoji, avoid=["politics"]), length=length, hashtags=HashtagRules(size_mix=mix))
    # Mostly something that could pass, with anything in it.
    base = text_of(length)
    place = (len(base) // 3) * start
    raw = Caption(base[:place] + text + base[place:], tuple(tags), alt, "somebody")
    found = fit(raw, of)
    assert bool(found.faults) == (found.caption is None)
    if found.caption is None:
        return
    out = found.caption
    least, most = checks.LENGTHS[length]
    assert least <= len(out.text) <= most
    assert len(out.whole) <= 2200
    assert out.by == "somebody"
    assert not re.search(r"[#＃]\w*[^\W\d_]", out.text)
    assert not any(
        unicodedata.category(each) in ("Cc", "Co", "Cs") and each != "\n" for each in out.text + out.alt_text
    )
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff") & set(
        out.text + out.alt_text
    )
    for said in (out.text, out.alt_text, *out.hashtags):
        assert not looks_secret(said)
        assert not holds(said, "politics")
        assert [*addresses(said), *mentions(said), *checks.spam_in(said)] == []
    fewest, densest = checks.emoji_range(emoji, out.text)
    assert fewest <= len(EMOJI.findall(out.text)) <= densest
    assert len({tag.casefold() for tag in out.hashtags}) == len(out.hashtags) <= 30
    assert len(out.alt_text) <= 1000
    # What was mended once needs no more mending.
    again = fit(out, of)
    assert (again.caption, again.mended) == (out, ())


@given(st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


IDEAS = IdeaBrief("ada", voice(avoid=["politics"]), recent_prompts=("Portrait of  ada, smiling",))
GOOD = Idea("A walk", "By the sea.", "portrait of ada, sad")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"title": ""}, "The title has 0 characters"),
        ({"title": "x" * 81}, "The title has 81 characters"),
        ({"description": "x" * 501}, "The description has 501"),
        ({"prompt": "x" * 1001}, "The prompt has 1,001"),
        ({"prompt": "portrait of ADA, smiling"}, "was used lately"),
        ({"description": "All politics."}, "never spoken of"),
        ({"description": "See example.com"}, "nobody asked for"),
        ({"title": "By @someone"}, "nobody asked for"),
        ({"prompt": "sk-abcdefgh12345678"}, "looks like a password"),
    ],
)
def test_ideas_are_held_to_their_rules(said: dict[str, str], fault: str) -> None:
    idea, found = checks.fit_idea(replace(GOOD, **said), IDEAS)
    assert idea is None
    assert fault in " ".join(found)


def test_a_good_idea_is_tidied() -> None:
    idea, found = checks.fit_idea(replace(GOOD, title=" A\u202e\nwalk "), IDEAS)
    assert (idea, found) == (GOOD, [])
    refused, found = checks.fit_idea(GOOD, replace(IDEAS, base_model="nano-flux"), lambda prompt: False)
    assert refused is None
    assert "not in the words that nano-flux knows" in found[0]


@pytest.mark.parametrize(
    "disguise",
    ["al-cohol", "al_cohol", "a.l.c.o.h.o.l", "\u0430lcohol", "alc\u043eh\u03bfl", "AL\u00b7COHOL", "a\u200blcohol"],
)
def test_what_is_never_spoken_of_is_known_in_disguise(disguise: str) -> None:
    of = brief(voice=voice(avoid=["alcohol"]))
    assert "never spoken of" in faults_of(saying(f"A glass of {disguise} by the sea.", of), of)
    assert not set(hashtags.kept([disguise], of)), "nor as a hashtag"


@pytest.mark.parametrize("begging", ["Linkinbio", "l.i.n.k in bio", "L-I-N-K in bio", "link_in_bio", "clickhere today"])
def test_begging_is_known_in_disguise(begging: str) -> None:
    assert checks.spam_in(f"It is all there: {begging}.")


def test_ordinary_words_are_no_disguise() -> None:
    for text in ("A well-known garden by the sea.", "Soft war-drums? No: software.", "She comments below the bridge."):
        assert not checks.unsaid(text, brief(voice=voice(avoid=["war", "alcohol"]))) or "war-drums" in text
    assert not checks.spam_in("The link between us, in biology: clicks here and there.")


@pytest.mark.parametrize("alt", ["A girl #sea", "A girl #\N{FIRE}"])
def test_a_description_of_the_picture_holds_no_hashtags(alt: str) -> None:
    assert mended(replace(good(brief()), alt_text=alt)).alt_text == ""


def test_accents_that_cover_lines_are_taken_down() -> None:
    assert clean("a" + "\u0301\u0316" * 30) == clean("a" + "\u0301\u0316" * 30)[:4]
    assert clean("Ti\u1ebfng Vi\u1ec7t, \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd") == unicodedata.normalize(
        "NFC", "Ti\u1ebfng Vi\u1ec7t, \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd"
    )


@pytest.mark.parametrize("text", ["see foo.photography/ada", "at xn--e1afmkfd.xn--p1ai now"])
def test_addresses_with_any_ending_are_addresses(text: str) -> None:
    assert addresses(text)


def test_a_password_may_be_said_in_a_side_sentence() -> None:
    assert looks_secret("the password, which is hunter2")
