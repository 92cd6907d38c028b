"""ruleng.toml and the options that go before it, as a replay shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ruleng.cli import options
from tests.cli import samples
from tests.cli.conftest import Ruleng

LISTENER = [("Listener", "listens: nc -l 4444 by 1000")]
SHADOW = [said for said in samples.SAID if said not in LISTENER]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "ruleng.toml"


def configured(toml: Path, text: str) -> tuple[str, Path]:
    toml.write_text(text)
    return "-c", toml


# --- what it says is done -----------------------------------------------------------------------------------------------


def test_rules_are_named_and_chosen(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    text = f'[rules]\npaths = ["{rules}"]\ndisable = ["Listener"]\n'
    assert ruleng("replay", *configured(toml, text), log).said == SHADOW


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--disable", "Shadow*"], LISTENER),
        (["--disable", "*", "--enable", "tag:network"], LISTENER),
        (["--enable", "Editor"], [*samples.SAID[:1], ("Editor", "vim opens /etc/hostname"), *samples.SAID[1:]]),
        (["--priority", "warning"], SHADOW),
    ],
    ids=["disable", "enable by tag", "enable", "priority"],
)
def test_rules_are_chosen_on_the_command_line(
    ruleng: Ruleng, log: Path, rules: Path, arguments: list[str], said: list[tuple[str, str]]
) -> None:
    assert ruleng("replay", "-r", rules, *arguments, log).said == said


def test_the_command_line_goes_before_the_file(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    text = '[rules]\npaths = ["/gone"]\npriority = "error"\n'
    result = ruleng("replay", *configured(toml, text), "-r", rules, "--priority", "notice", log)
    assert (result.status, result.said) == (0, samples.SAID)


def test_the_first_rule_that_matches_alerts_or_all_of_them(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    second = 'rule "Any file" { desc: "" condition: evt.type = openat output: "%fd.name" priority: notice }\n'
    rules.write_text(rules.read_text() + second)
    only_first = [rule for rule, _ in ruleng("replay", "-r", rules, log).said]
    assert only_first == ["Shadow read", "Any file", "Listener", "Shadow read"]
    every = ["Shadow read", "Any file", "Any file", "Listener", "Shadow read", "Any file"]
    assert [rule for rule, _ in ruleng("replay", "-r", rules, "--matching", "all", log).said] == every
    in_file = configured(toml, '[rules]\nmatching = "all"\n')
    assert [rule for rule, _ in ruleng("replay", "-r", rules, *in_file, log).said] == every


def test_sinks_of_the_file_each_get_what_is_for_them(ruleng: Ruleng, log: Path, rules: Path, toml: Path, tmp_path: Path) -> None:
    every, severe = tmp_path / "every.jsonl", tmp_path / "severe.jsonl"
    text = (
        f'[[sink]]\nspec = "jsonl:{every}"\n'
        f'[[sink]]\nspec = "jsonl:{severe}"\nname = "severe"\npriority = "warning"\noptions = {{ format = "ecs" }}\n'
    )
    result = ruleng("replay", *configured(toml, text), "-r", rules, log)
    assert (result.status, result.out) == (0, "")
    assert [json.loads(line)["rule"] for line in every.read_text().splitlines()] == [rule for rule, _ in samples.SAID]
    assert [json.loads(line)["rule"]["name"] for line in severe.read_text().splitlines()] == ["Shadow read"] * 2


def test_sinks_of_the_command_line_are_instead_of_the_files(
    ruleng: Ruleng, log: Path, rules: Path, toml: Path, tmp_path: Path
) -> None:
    not_this, this = tmp_path / "not.jsonl", tmp_path / "this.jsonl"
    configuration = configured(toml, f'[[sink]]\nspec = "jsonl:{not_this}"\n')
    ruleng("replay", *configuration, "-r", rules, "-s", f"jsonl:{this}", log)
    assert (len(this.read_text().splitlines()), not_this.exists()) == (3, False)


@pytest.mark.parametrize("by", ["rule", "tag"])
def test_actions_bind_to_rules_of_falco_files_as_they_are(ruleng: Ruleng, log: Path, toml: Path, tmp_path: Path, by: str) -> None:
    falco = tmp_path / "falco.yaml"
    falco.write_text(
        "- rule: Shadow read\n  desc: hashes\n  condition: evt.type = openat and fd.name = /etc/shadow\n"
        "  output: '%fd.name'\n  priority: WARNING\n  tags: [secrets]\n"
    )
    text = f'[[action]]\n{by} = "{"Shadow*" if by == "rule" else "secrets"}"\ndo = ["alert", "kill(scope=tree)"]\n'
    alerts = ruleng("replay", *configured(toml, text), "-r", falco, log).lines
    assert [alert["actions"] for alert in alerts] == [
        [{"action": "kill", "outcome": "skipped", "target": f"pid {pid} (cat)", "error": "a replay acts on nothing"}]
        for pid in (4711, 4714)
    ]


def test_the_last_action_that_names_a_rule_holds(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    text = '[[action]]\nrule = "*"\ndo = ["kill"]\n[[action]]\nrule = "Shadow read"\ndo = ["log"]\n'
    result = ruleng("replay", *configured(toml, text), "-r", rules, log)
    assert [(alert["rule"], [action["action"] for action in alert["actions"]]) for alert in result.lines] == [
        ("Listener", ["kill"])
    ]
    assert "ruleng: Warning Shadow read: /etc/shadow read by cat (4711)\n" in result.err


def test_the_host_is_called_as_the_file_says(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    configuration = configured(toml, '[output]\nhostname = "bastion"\n')
    assert {alert["hostname"] for alert in ruleng("replay", *configuration, "-r", rules, log).lines} == {"bastion"}


def test_the_file_of_this_host_is_read_where_none_is_named(
    ruleng: Ruleng, log: Path, rules: Path, toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml.write_text('[output]\nhostname = "default"\n')
    monkeypatch.setattr(options, "DEFAULT_CONFIG", toml)
    assert {alert["hostname"] for alert in ruleng("replay", "-r", rules, log).lines} == {"default"}


# --- who parses ---------------------------------------------------------------------------------------------------------


@pytest.mark.peers
@pytest.mark.parametrize("how", ["option", "file"])
def test_auparse_parses_when_asked(ruleng: Ruleng, log: Path, rules: Path, toml: Path, how: str) -> None:
    arguments = ["--backend", "auparse"] if how == "option" else configured(toml, '[audit]\nbackend = "auparse"\n')
    result = ruleng("replay", *arguments, "-r", rules, log)
    if "auparse" in result.err and result.status == 3:
        pytest.skip("this Python cannot load auparse: " + result.err.strip())
    assert (result.status, result.said) == (0, samples.SAID)


# --- what is wrong with it ----------------------------------------------------------------------------------------------


MISTAKES = [
    ("[rules\n", ":1:7: expected ']'"),
    ("[rulse]\n", ":1:2: unknown table `rulse`, did you mean `rules`?"),
    ("[rules]\nmatching = 'some'\n", ":2:1: `matching` is one of first, all, not 'some'"),
    ("[source]\nnames = ['audti']\n", ":2:1: `audti` is no source, did you mean `audit`?\n  there are auto, audit, perf, stdin\n"),
    ("[[sink]]\nspec = 'text'\n[[sink]]\n  spec = 'jsnl:x'\n", ":4:3: `jsnl:x` is no sink, did you mean `jsonl`?\n"),
    ("[[sink]]\nspec = 'jsonl:x'\noptions = { kep = 1 }\n", ":2:1: `jsonl:x`: jsonl has no option `kep`, did you mean `keep`?\n"),
    ("[[sink]]\nname = 'soc'\n", ":1:3: [[sink]] lacks `spec`"),
    ("[[action]]\nrule = 'Shadow read'\ndo = ['kil']\n", ":3:1: unknown action `kil`"),
    ("[[action]]\nrule = 'Shadow read'\ndo = ['alert'] \n[[action]]\nrule = 'x'\ndo = ['deny']\n", ":6:1: "),
    ("[[action]]\nrule = 'Shadow read'\ndo = ['kill(scope=world)']\n", ":3:1: unknown scope `world`"),
    ("[[action]]\nrule = 'Shadow read'\ndo = ['kill] }']\n", ":3:1: "),
    ("[[action]]\nrule = 'Shadow read'\ndo = ['']\n", ":3:1: "),
    ("[[action]]\nrule = 'Shadow read'\ndo = []\n", ":3:1: "),
    ("[[action]]\nrule = 'Shadow read'\n", ":1:3: [[action]] lacks `do`"),
    ("[[action]]\ndo = ['kill']\n", ":1:3: [[action]] wants either `rule` or `tag`"),
    ("[[action]]\nrule = 'a'\ntag = 'b'\ndo = ['kill']\n", ":1:3: [[action]] wants either `rule` or `tag`"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text.replace("\n", " ") for text, _ in MISTAKES])
def test_a_mistake_has_its_place_and_nothing_starts(spawned: Ruleng, rules: Path, toml: Path, text: str, message: str) -> None:
    result = spawned("run", "--source" if "[source]" not in text else "-q", *["stdin"] * ("[source]" not in text),
                     *configured(toml, text), "-r", rules)  # fmt: skip
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"ruleng run: {toml}{message}")


def test_all_mistakes_of_a_file_show_at_once(ruleng: Ruleng, log: Path, toml: Path) -> None:
    result = ruleng("replay", *configured(toml, "[rulse]\n[queue]\nalerts = 0\n"), log)
    assert result.err.splitlines() == [
        f"ruleng replay: {toml}:1:2: unknown table `rulse`, did you mean `rules`?",
        f"{toml}:3:1: `alerts` wants a whole number, 1 or more, not 0",
    ]


def test_an_action_for_no_rule_is_a_warning(ruleng: Ruleng, log: Path, rules: Path, toml: Path) -> None:
    text = '[[action]]\nrule = "Shado read"\ndo = ["kill"]\n[[action]]\ntag = "secrets"\ndo = ["kill"]\n'
    result = ruleng("replay", *configured(toml, text), "-r", rules, log)
    assert (result.status, result.said) == (0, samples.SAID)
    assert f"{toml}:2:1: warning[R0614]: no rule is named `Shado read`, so these actions bind to nothing\n" in result.err
    assert f"{toml}:5:1: warning[R0614]: no rule has the tag `secrets`, so these actions bind to nothing\n" in result.err


def test_a_file_that_is_not_there_is_a_mistake(ruleng: Ruleng, log: Path, toml: Path) -> None:
    result = ruleng("replay", "-c", toml, log)
    assert (result.status, result.err) == (2, f"ruleng replay: {toml}: No such file or directory\n")
