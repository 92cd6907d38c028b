"""Loading: files, folders, imports, and what is left when something is wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ruleng.alert import Priority
from ruleng.fields.catalogue import standard
from ruleng.lang.load import MAX_SIZE, Loaded, LoadOptions, load_rules, load_sources
from ruleng.lang.reach import Reach
from ruleng.lang.select import Choice
from ruleng.lang.source import Source
from tests.lang.said import said

FALCO = """\
- rule: {name}
  desc: d
  condition: evt.type = open and {condition}
  output: o
  priority: INFO
"""
RULE = 'rule "{name}" {{ condition: evt.type = open and {condition}  output: "o"  priority: info }}\n'


def write(folder: Path, **files: str) -> None:
    """A file for each argument: `a_rules` is a.rules, `a_yaml` is a.yaml."""
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)


def load(*paths: str | Path) -> Loaded:
    return load_rules(paths, standard())


def names(loaded: Loaded) -> list[str]:
    return [rule.name for rule in loaded.rules]


def messages(loaded: Loaded) -> list[tuple[str, str | None, str]]:
    return [(diagnostic.code, diagnostic.path, diagnostic.message) for diagnostic in loaded.diagnostics]


# --- files and folders ------------------------------------------------------------------------------------------------


def test_a_folder_gives_its_rule_files_by_name(tmp_path: Path) -> None:
    write(tmp_path, b_yaml=FALCO.format(name="b", condition="fd.num = 1"), a_rules=RULE.format(name="a", condition="fd.num = 1"))
    write(tmp_path, c_yml=FALCO.format(name="c", condition="fd.num = 1"), readme_md="# not rules")
    (tmp_path / "a.test.yaml").write_text("- tests: []")
    (tmp_path / "deeper.rules").mkdir()
    loaded = load(tmp_path)
    assert names(loaded) == ["a", "b", "c"]
    assert loaded.diagnostics == ()


def test_files_load_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    write(
        tmp_path, z_yaml=FALCO.format(name="r", condition="fd.num = 1"), a_yaml="- {rule: r, tags: [x], override: {tags: replace}}"
    )
    assert [rule.tags for rule in load(tmp_path / "z.yaml", tmp_path / "a.yaml").rules] == [("x",)]
    assert [item.code for item in load(tmp_path / "a.yaml", tmp_path / "z.yaml").diagnostics] == ["R0223"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, a_rules=RULE.format(name="a", condition="fd.num = 1"))
    (tmp_path / "link.rules").symlink_to("a.rules")
    loaded = load(tmp_path, tmp_path / "a.rules", tmp_path / "link.rules")
    assert (names(loaded), loaded.diagnostics) == (["a"], ())


def test_what_cannot_be_read_is_said_with_its_path(tmp_path: Path) -> None:
    write(tmp_path, latin_yaml="", wide_rules="", notes_txt="", good_rules=RULE.format(name="a", condition="m"))
    (tmp_path / "latin.yaml").write_bytes(b"- list: l\n  items: [caf\xe9]\n")
    (tmp_path / "wide.rules").write_bytes(b"\xff\xfea\0")
    (tmp_path / "empty").mkdir()
    os.truncate(tmp_path / "wide.rules", MAX_SIZE + 1)
    loaded = load(*(tmp_path / name for name in ("missing.rules", "latin.yaml", "wide.rules", "notes.txt", "empty", "good.rules")))
    assert messages(loaded) == [
        ("R0605", str(tmp_path / "empty"), "holds no file with rules"),
        ("R0602", str(tmp_path / "latin.yaml"), "not UTF-8 text: byte 0xe9 in line 2"),
        ("R0601", str(tmp_path / "missing.rules"), "cannot be read: No such file or directory"),
        ("R0604", str(tmp_path / "notes.txt"), "is neither NAME.rules nor NAME.yaml, so how to read it is unknown"),
        ("R0603", str(tmp_path / "wide.rules"), f"has {MAX_SIZE + 1} bytes, more than {MAX_SIZE}"),
    ]  # and nothing of the macro `m`, which may be in one of them


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf- foo\n")
    assert said(load(tmp_path / "a.yaml").diagnostics) == ["R0502 1:3 wanted an item (a mapping), found a text"]


# --- imports ----------------------------------------------------------------------------------------------------------


def test_imports_come_before_the_file_that_imports_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write(
        tmp_path,
        a_rules='import "more/b.rules"\nimport "c.yaml"\noverride rule "c" { tags: [x] }\n' + RULE.format(name="a", condition="m"),
    )
    write(tmp_path, c_yaml=FALCO.format(name="c", condition="fd.num = 1"))
    write(
        tmp_path / "more", b_rules='import "../a.rules"\n# a circle\nmacro m: fd.num = 1\n' + RULE.format(name="b", condition="m")
    )
    loaded = load(tmp_path / "a.rules")
    assert names(loaded) == ["b", "c", "a"]
    assert said(loaded.diagnostics) == [
        f"R0250 1:9 imports in a circle: {tmp_path}/a.rules -> {tmp_path}/more/b.rules -> {tmp_path}/a.rules"
    ]


def test_a_file_imported_by_several_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, m_rules="macro m: fd.num = 1\n")
    for name in "ab":
        write(tmp_path, **{f"{name}_rules": 'import "m.rules"\n' + RULE.format(name=name, condition="m")})
    loaded = load(tmp_path)
    assert (names(loaded), loaded.diagnostics) == (["a", "b"], ())


def test_an_import_that_cannot_be_read_is_said_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, a_rules='import "gone.rules"\nimport "a.txt"\n' + RULE.format(name="a", condition="m"))
    assert said(load(tmp_path).diagnostics) == [
        "R0251 1:9 `gone.rules` cannot be read: No such file or directory",
        "R0251 2:9 `a.txt` is neither NAME.rules nor NAME.yaml, so how to read it is unknown",
    ]


def test_a_chain_of_a_thousand_imports_is_followed(tmp_path: Path) -> None:
    for number in range(1000):
        write(tmp_path, **{f"f{number}_rules": f'import "f{number + 1}.rules"\n' if number < 999 else "macro m: fd.num = 1\n"})
    loaded = load(tmp_path / "f0.rules")
    assert (list(loaded.resolved.macros), loaded.diagnostics) == (["m"], ())


# --- rules ------------------------------------------------------------------------------------------------------------


def both(*texts: str, **options: object) -> Loaded:
    """Texts of Falco files."""
    sources = [Source(f"{number}.yaml", text) for number, text in enumerate(texts)]
    return load_sources(sources, standard(), options=LoadOptions(**options))  # type: ignore[arg-type]


def test_a_mistake_in_a_macro_is_said_once_however_many_rules_use_it() -> None:
    text = "- macro: m\n  condition: proc.nam = x\n" + "".join(FALCO.format(name=n, condition="m") for n in "abc")
    assert said(both(text).diagnostics) == ["R0203 2:14 unknown field `proc.nam`"]


def test_a_rule_with_a_mistake_does_not_keep_others_from_loading() -> None:
    loaded = both(FALCO.format(name="a", condition="proc.pid = x") + FALCO.format(name="b", condition="proc.pid = 1"))
    assert names(loaded) == ["b"]


def test_diagnostics_are_sorted_by_file_and_place() -> None:
    bad = FALCO.format(name="a", condition="proc.pid = x") + "- foo\n"
    loaded = both(bad, "- foo\n" + bad.replace("rule: a", "rule: b"))
    places = [(d.span.located().source.name, d.span.located().start) for d in loaded.diagnostics if d.span]
    assert places == sorted(places)
    assert len(places) == 5


@pytest.mark.parametrize("condition", ["proc.nosuch = x", "evt.type = opne", "evt.arg.nosuch = 1"])
def test_a_rule_may_be_skipped_for_names_of_a_later_version(condition: str) -> None:
    loaded = both(FALCO.format(name="a", condition=condition) + "  skip-if-unknown-filter: true\n")
    (diagnostic,) = loaded.diagnostics
    assert (names(loaded), diagnostic.code, diagnostic.falco, diagnostic.is_error) == ([], "R0613", "LOAD_UNKNOWN_FILTER", False)


def test_a_rule_is_not_skipped_for_other_mistakes() -> None:
    loaded = both(FALCO.format(name="a", condition="proc.nosuch = x and proc.pid = x") + "  skip-if-unknown-filter: true\n")
    assert [diagnostic.code for diagnostic in loaded.diagnostics if diagnostic.is_error] == ["R0203", "R0302"]


def test_an_unknown_field_of_an_exception_has_falcos_code_for_it() -> None:
    loaded = both(FALCO.format(name="a", condition="fd.num = 1") + "  exceptions: [{name: e, fields: [proc.nam], values: [[x]]}]\n")
    assert [(d.code, d.falco, d.span.located().text) for d in loaded.diagnostics if d.span] == [
        ("R0203", "LOAD_ERR_VALIDATE", "proc.nam")
    ]


def test_the_fields_of_an_exception_without_values_are_checked() -> None:
    loaded = both(FALCO.format(name="a", condition="fd.num = 1") + "  exceptions: [{name: e, fields: [proc.nam, proc.name]}]\n")
    assert [(d.code, d.falco, d.rule) for d in loaded.diagnostics] == [("R0203", "LOAD_ERR_VALIDATE", "a")]


def test_items_of_a_list_that_nothing_uses_are_no_errors() -> None:
    bad = "- list: l\n  items: ['a=b']\n"
    assert [d.code for d in both(bad).diagnostics if d.is_error] == []
    used = both(bad + FALCO.format(name="a", condition="proc.name in (l)"))
    assert [d.code for d in used.diagnostics if d.is_error] == ["R0523"]


@pytest.mark.parametrize(
    ("condition", "said_of_it"),
    [
        ("fd.ip in (1.2.3.4)", ["R0526? 3:34 `fd.ip in (...)` is never true in Falco, here it works"]),
        ("fd.ip = 1.2.3.4", []),
        ("fd.ip = anyof (1.2.3.4)", []),
        ("fd.sip in (1.2.3.4, 5.6.7.8)", []),
        (
            'fd.net in ("1.2.0.0/16", "3.4.0.0/16")',
            ["R0527? 3:34 Falco compares `fd.net` with the first network only, here with all"],
        ),
        (
            'fd.net = anyof ("1.2.0.0/16", "3.4.0.0/16")',
            ["R0527? 3:34 Falco compares `fd.net` with the first network only, here with all"],
        ),
        ('fd.net in ("1.2.0.0/16")', []),
        ('fd.snet in ("1.2.0.0/16", "3.4.0.0/16")', []),
    ],
)
def test_what_falco_silently_decides_wrongly_is_said(condition: str, said_of_it: list[str]) -> None:
    assert said(both(FALCO.format(name="a", condition=condition)).diagnostics) == said_of_it
    rules = load_sources([Source("a.rules", RULE.format(name="a", condition=condition))], standard())
    assert rules.diagnostics == ()


def test_rules_of_known_sources_load() -> None:
    text = FALCO.format(name="a", condition="fd.num = 1") + "  source: other\n"
    assert [d.code for d in both(text).diagnostics] == ["R0610"]
    assert names(both(text, event_sources=frozenset({"other"}))) == ["a"]


def test_a_rule_for_nearly_all_events_is_warned_of_where_the_engine_tells() -> None:
    every = standard().event_types
    text = FALCO.format(name="a", condition="fd.num = 1")
    loaded = both(text + text.replace("rule: a", "rule: b") + "  warn_evttypes: false\n", event_types=lambda checked: every)
    assert [(d.code, d.rule, d.falco) for d in loaded.diagnostics] == [("R0612", "a", "LOAD_NO_EVTTYPE")]
    assert both(text).diagnostics == ()


def test_a_rule_that_the_sources_in_use_cannot_feed_is_warned_of() -> None:
    text = FALCO.format(name="a", condition="evt.buffer contains x") + FALCO.format(name="b", condition="fd.num = 1")
    loaded = both(text, reach=Reach(frozenset({"audit"})))
    assert said(loaded.diagnostics) == ["R0611? 1:9 never matches here: `evt.buffer` comes from no source in use"]
    assert names(loaded) == ["a", "b"]
    assert both(text, reach=Reach(frozenset({"audit", "bpf"}))).diagnostics == ()


def test_rules_are_selected_after_they_are_checked() -> None:
    text = FALCO.format(name="a", condition="fd.num = 1") + FALCO.format(name="b", condition="fd.num = 1").replace("INFO", "ERROR")
    loaded = both(text, choices=(Choice(False, "*"), Choice(True, "b")), priority=Priority.WARNING)
    assert [(rule.name, rule.enabled) for rule in loaded.rules] == [("b", True)]


# --- hostile input ----------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@pytest.mark.parametrize("suffix", ["yaml", "rules"])
def test_any_bytes_give_diagnostics_and_no_exception(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    loaded = load(path)
    assert all(diagnostic.span is not None or diagnostic.path is not None for diagnostic in loaded.diagnostics)


def seconds(texts: Sequence[str]) -> float:
    started = process_time()
    loaded = both(*texts)
    assert loaded.diagnostics == ()
    assert len(loaded.rules) == sum(text.count("- rule:") for text in texts)
    return process_time() - started


def test_loading_takes_time_in_proportion_to_the_number_of_rules() -> None:
    def files(count: int) -> list[str]:
        macro = "- macro: m\n  condition: proc.name in (l) and not proc.pname startswith x\n- list: l\n  items: [a, b]\n"
        rules = [FALCO.format(name=f"r{number}", condition=f"m and fd.num = {number}") for number in range(count)]
        return [macro + "".join(rules[::2]), "".join(rules[1::2])]

    seconds(files(10))  # the grammar is built
    assert seconds(files(2000)) < 25 * seconds(files(200))
