"""Settings -> rules, compiled: load, bind the configuration's actions, refuse what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ruleng.alert import Priority
from ruleng.config import Config
from ruleng.engine.compile import compile_rules
from ruleng.engine.index import event_types
from ruleng.engine.ruleset import RuleSet
from ruleng.errors import RulesError, UsageError
from ruleng.fields.catalogue import standard
from ruleng.lang.actions import check_actions
from ruleng.lang.ast import RuleDecl
from ruleng.lang.checked import Action, Rule
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.load import Loaded, LoadOptions, load_rules
from ruleng.lang.mistakes.sources import selects_nothing
from ruleng.lang.parse import parse_file
from ruleng.lang.reach import Reach
from ruleng.lang.select import Choice
from ruleng.lang.source import Source
from ruleng.pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Ruled:
    """Rules in force, and the warnings that go with them."""

    ruleset: RuleSet
    warnings: tuple[Diagnostic, ...]


def load(settings: Settings, *, reach: Reach | None = None) -> Loaded:
    """What the files hold, selected; mistakes are in `diagnostics`, nothing is raised for them."""
    universe = standard().event_types
    options = LoadOptions(
        priority=_priority(settings.minimum_priority()),
        choices=_choices(settings),
        reach=reach,
        event_types=lambda condition: event_types(condition, universe),
    )
    return load_rules(settings.rule_paths(), standard(), options=options)


def build(settings: Settings, *, reach: Reach | None = None) -> Ruled:
    """Raises RulesError when a file has errors, UsageError when the configuration asks for actions that there are not."""
    return compiled(load(settings, reach=reach), settings)


def compiled(loaded: Loaded, settings: Settings) -> Ruled:
    """The same for rules that are loaded already."""
    if any(diagnostic.is_error for diagnostic in loaded.diagnostics):
        raise RulesError(loaded.diagnostics)
    rules, idle = bind(loaded.rules, settings.config)
    return Ruled(compile_rules(rules, standard()), (*loaded.diagnostics, *idle))


def bind(rules: Sequence[Rule], config: Config) -> tuple[tuple[Rule, ...], list[Diagnostic]]:
    """The rules with the actions that the configuration's [[action]] tables give them, the last one that names a rule winning;
    a warning for a table that names none.
    """
    bound = list(rules)
    idle = []
    for number, row in enumerate(config.arrays["action"]):
        actions = _actions(config, number, row["do"])
        wanted = Choice(enable=True, what=row["rule"] or f"tag:{row['tag']}")
        chosen = [index for index, rule in enumerate(bound) if wanted.chooses(rule)]
        for index in chosen:
            bound[index] = replace(bound[index], actions=actions)
        if not chosen:
            key = "rule" if row["rule"] else "tag"
            said = f"no rule {'is named' if row['rule'] else 'has the tag'} `{row[key]}`, so these actions bind to nothing"
            warning = selects_nothing(wanted.what, enable=True)
            idle.append(replace(warning, message=said, path=config.place("action", key, number)))
    return tuple(bound), idle


def _actions(config: Config, number: int, texts: Sequence[str]) -> tuple[Action, ...]:
    """Actions as a rule writes them: they are read as those of a rule."""
    source = Source("configuration", f'append rule "configuration" {{ actions: [{", ".join(texts)}] }}')
    file, mistakes = parse_file(source)
    actions: tuple[Action, ...] = ()
    if not mistakes:
        calls = [item.actions for item in file.items if isinstance(item, RuleDecl)]
        actions, mistakes = check_actions(calls[0], inline=False)
    if mistakes or not actions:
        error = UsageError(mistakes[0].message, hint=mistakes[0].help) if mistakes else UsageError("`do` wants at least one action")
        raise config.mistake("action", "do", error, number=number)
    return actions


def _choices(settings: Settings) -> tuple[Choice, ...]:
    config = settings.config
    off = [*config.get("rules", "disable"), *settings.disable]
    on = [*config.get("rules", "enable"), *settings.enable]
    return (*(Choice(enable=False, what=what) for what in off), *(Choice(enable=True, what=what) for what in on))


def _priority(text: str) -> Priority:
    priority = Priority.parse(text)
    if priority is None:
        raise UsageError(f"`{text}` is no priority", hint=f"there are {', '.join(p.name.lower() for p in Priority)}")
    return priority
