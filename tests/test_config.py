"""ruleng.toml: what a mistake looks like to the one who made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ruleng.config import KEYS, Config, ConfigError, markdown, parse_config, parse_duration_ns

PATH = Path("ruleng.toml")

MISTAKES = [
    ("[rulse]\npaths = []\n", "ruleng.toml:1:2: unknown table `rulse`, did you mean `rules`?"),
    ("[rules]\n\n  path = ['x']\n", "ruleng.toml:3:3: unknown key `path` in [rules], did you mean `paths`?"),
    ("[rules]\npaths = 'x'\n", "ruleng.toml:2:1: `paths` wants a list of texts, not 'x'"),
    ("[rules]\nmatching = 'some'\n", "ruleng.toml:2:1: `matching` is one of first, all, not 'some'"),
    ("[rules]\npriority = 'loud'\n", "`priority` is one of emergency, alert"),
    ("[queue]\nalerts = true\n", "ruleng.toml:2:1: `alerts` wants a whole number, 1 or more, not True"),
    ("[queue]\ndeadline = '5 parsecs'\n", "`deadline` wants a duration such as 500ms, 5s, 1m, 2h, not '5 parsecs'"),
    ("[[sink]]\nspec = 'text'\n[[sink]]\nname = 'soc'\n", "ruleng.toml:3:3: [[sink]] lacks `spec`"),
    ("[sink]\nspec = 'text'\n", "ruleng.toml:1:2: `sink` is given as [[sink]], once for each"),
    ("rules = 3\n", "ruleng.toml:1:1: `rules` is a table: [rules]"),
    ("rules.matching = 3\n", "ruleng.toml:1:1: `matching` wants text in quotes, not 3"),
    ("[rules\n", "ruleng.toml:1:7: expected ']' at the end of a table declaration"),
    ("[rules]\npaths = [", "ruleng.toml: invalid value at the end of the file"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text.replace("\n", " ") for text, _ in MISTAKES])
def test_a_mistake_is_shown_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, PATH)
    assert message in str(caught.value)


def test_all_mistakes_show_at_once_in_the_order_of_their_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config("[queue]\nalerts = 0\n[rules]\nmatching = 'x'\n[audit]\nmood = 1\n", PATH)
    assert [mistake.split(": ")[0] for mistake in caught.value.mistakes] == [
        "ruleng.toml:2:1",
        "ruleng.toml:4:1",
        "ruleng.toml:6:1",
    ]


def test_an_empty_file_is_the_defaults() -> None:
    assert parse_config("", PATH).values == Config().values


def test_what_is_given_is_taken_and_the_rest_keeps_its_default() -> None:
    config = parse_config("[rules]\nmatching = 'all'\n[[sink]]\nspec = 'jsonl:/tmp/a'\n", PATH)
    assert config.get("rules", "matching") == "all"
    assert config.get("rules", "priority") == "debug"
    assert config.arrays["sink"] == ({"spec": "jsonl:/tmp/a", "name": "", "priority": "debug", "options": {}},)


@pytest.mark.parametrize(("text", "ns"), [("500ms", 500_000_000), ("5s", 5 * 10**9), ("1m", 60 * 10**9), ("2h", 7200 * 10**9)])
def test_durations_are_nanoseconds(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


def test_every_key_is_in_the_docs_and_the_docs_are_up_to_date() -> None:
    page = markdown()
    assert all(f"`{key.name}`" in page for key in KEYS)
    assert Path("docs/configuration.md").read_text() == page
