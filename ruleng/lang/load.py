"""Rules from files, folders or texts to checked rules: read, follow imports, parse, resolve, check, select.

Never raises for what a file holds: whatever is wrong is a diagnostic, and what is right is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ruleng.alert import Priority
from ruleng.fields.types import Catalogue
from ruleng.lang.ast import Import, Name, RuleFile
from ruleng.lang.check import check_rule
from ruleng.lang.checked import Checked, Rule
from ruleng.lang.collect import DEFAULT_SOURCE
from ruleng.lang.conditions import Checker
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.falco import read_falco
from ruleng.lang.graph import ordered
from ruleng.lang.mistakes import fields as field_mistakes
from ruleng.lang.mistakes import names as name_mistakes
from ruleng.lang.mistakes import sources as mistakes
from ruleng.lang.mistakes.falco import BREAKS_CONDITION
from ruleng.lang.parse import parse_file
from ruleng.lang.reach import Reach, lacking
from ruleng.lang.resolve import Resolved, ResolvedRule, resolve
from ruleng.lang.select import Choice, select
from ruleng.lang.silent import wrong_in_falco
from ruleng.lang.source import Source, Span

MAX_SIZE = 64 << 20
"""Bytes of a rule file; 10,000 rules have 4 MB."""

MANY_EVENT_TYPES = 100
"""A rule for more event types is asked for nearly every event (Falco's rule_loader_compiler.cpp)."""

FALCO_SUFFIXES = frozenset({".yaml", ".yml"})
SUFFIXES = FALCO_SUFFIXES | {".rules"}
TESTS = ".test"
"""NAME.test.yaml beside NAME.rules holds tests, not rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What loading depends on besides the files."""

    event_sources: frozenset[str] = frozenset({DEFAULT_SOURCE})  # rules of others are left out
    priority: Priority = Priority.DEBUG  # rules less severe are left out
    choices: tuple[Choice, ...] = ()
    reach: Reach | None = None  # what the sources in use provide; None: do not ask whether rules can match
    event_types: Callable[[Checked], frozenset[str]] | None = None  # for which a condition can be true; the engine knows
    inline: bool = False  # whether a source can deny


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rules that are right, the disabled ones among them; diagnostics by file and place, of all files together."""

    rules: tuple[Rule, ...]
    diagnostics: tuple[Diagnostic, ...]
    resolved: Resolved


def load_rules(paths: Sequence[str | Path], catalogue: Catalogue, *, options: LoadOptions = LoadOptions()) -> Loaded:
    """Rules of files and folders, in this order; of a folder its rule files by name, what lies deeper is not looked at."""
    reading = _Reading()
    for path in paths:
        reading.add(Path(path))
    return _load(reading.in_order(), reading.diagnostics, catalogue, options, complete=reading.complete)


def load_sources(sources: Sequence[Source], catalogue: Catalogue, *, options: LoadOptions = LoadOptions()) -> Loaded:
    """Rules of texts. A source's name tells its kind: NAME.yaml and NAME.yml are Falco's. Imports are not followed."""
    diagnostics: list[Diagnostic] = []
    files = [_parse(source, diagnostics) for source in sources]
    return _load(files, diagnostics, catalogue, options, complete=True)


def read_source(path: Path) -> Source | Diagnostic:
    """A rule file's text, or why there is none."""
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return mistakes.unreadable(name, getattr(error, "strerror", None) or str(error))
    if len(content) > MAX_SIZE:
        return mistakes.too_large(name, max(size, len(content)), MAX_SIZE)
    try:
        return Source(name, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return mistakes.no_text(name, content.count(b"\n", 0, error.start) + 1, content[error.start])


def _parse(source: Source, diagnostics: list[Diagnostic]) -> RuleFile:
    falco = Path(source.name).suffix.lower() in FALCO_SUFFIXES
    file, found = read_falco(source) if falco else parse_file(source)
    diagnostics += found
    return file


# --- files and imports ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """Files by their real path: each is read once, however often it is named."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    complete: bool = True
    named: list[Path] = field(default_factory=list)
    shown: dict[str, Path] = field(default_factory=dict)  # real path: as it was first named
    files: dict[str, RuleFile] = field(default_factory=dict)
    wanted: dict[str, Name] = field(default_factory=dict)  # real path of a file that is only imported: where it says so
    imports: dict[str, dict[str, Span]] = field(default_factory=dict)  # real path: what it imports, and where it says so

    def add(self, path: Path) -> None:
        try:
            inside = sorted(entry for entry in path.iterdir() if _is_rule_file(entry)) if path.is_dir() else [path]
        except (OSError, ValueError) as error:
            self._give_up(mistakes.unreadable(str(path), getattr(error, "strerror", None) or str(error)))
            return
        if not inside:
            self.diagnostics.append(mistakes.no_rules_in(str(path)))
        for file in inside:
            self.shown.setdefault(os.path.realpath(file), file)
        self.named += inside

    def in_order(self) -> list[RuleFile]:
        """All files, each after those that it imports."""
        order, circles = ordered((os.path.realpath(path) for path in self.named), self._imports)
        for (importer, imported), circle in circles.items():
            names = [str(self.shown[path]) for path in circle]
            self.diagnostics.append(name_mistakes.import_cycle(self.imports[importer][imported], names))
        return [self.files[path] for path in order if path in self.files]

    def _imports(self, real: str) -> Iterator[str]:
        """Read the file; what it imports comes before it."""
        path = self.shown[real]
        self._read(real, path)
        for item in self.files[real].items if real in self.files else ():
            if isinstance(item, Import):
                wanted = path.parent / item.path.text
                inner = os.path.realpath(wanted)
                self.imports.setdefault(real, {}).setdefault(inner, item.path.span)
                if inner not in self.shown:
                    self.shown[inner], self.wanted[inner] = wanted, item.path
                yield inner

    def _read(self, real: str, path: Path) -> None:
        known = path.suffix.lower() in SUFFIXES
        source = read_source(path) if known else mistakes.neither_kind(str(path))
        if isinstance(source, Source):
            self.files[real] = _parse(source, self.diagnostics)
        elif (wanted := self.wanted.get(real)) is not None:
            self._give_up(name_mistakes.import_unreadable(wanted.span, wanted.text, source.message))
        else:
            self._give_up(source)

    def _give_up(self, diagnostic: Diagnostic) -> None:
        self.complete = False
        self.diagnostics.append(diagnostic)


def _is_rule_file(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.stem.endswith(TESTS) and path.is_file()


# --- resolve, check, select -------------------------------------------------------------------------------------------


def _load(
    files: Sequence[RuleFile], found: Iterable[Diagnostic], catalogue: Catalogue, options: LoadOptions, *, complete: bool
) -> Loaded:
    resolved = resolve(files, sources=options.event_sources, complete=complete)
    diagnostics = [*(_unless_unused(diagnostic, resolved) for diagnostic in found), *resolved.diagnostics]
    rules = []
    for resolved_rule in resolved.rules:
        rule, problems = _check(resolved_rule, catalogue, options)
        diagnostics += problems
        if rule is not None:
            diagnostics += _warnings(rule, resolved_rule, options)
            rules.append(rule)
    selected, problems = select(rules, options.choices, options.priority)
    diagnostics += problems
    return Loaded(selected, _arranged(diagnostics, [file.source.name for file in files]), resolved)


def _unless_unused(diagnostic: Diagnostic, resolved: Resolved) -> Diagnostic:
    """Falco never reads the items of a list that nothing uses, so what is wrong with them is no error."""
    entry = resolved.lists.get(diagnostic.rule or "")
    unused = diagnostic.code == BREAKS_CONDITION and entry is not None and not entry.used
    return replace(diagnostic, severity="warning") if unused else diagnostic


def _check(resolved: ResolvedRule, catalogue: Catalogue, options: LoadOptions) -> tuple[Rule | None, list[Diagnostic]]:
    rule, found = check_rule(resolved, catalogue, inline=options.inline)
    found += _unused_fields(resolved, catalogue)
    errors = [diagnostic for diagnostic in found if diagnostic.is_error]
    excepted = {part.span for exception in resolved.decl.exceptions or () for part in exception.fields or ()}
    # Falco looks at the fields of exceptions before it looks at conditions, and never forgives them
    found = [replace(problem, falco=name_mistakes.VALIDATE) if _unknown_in(problem, excepted) else problem for problem in found]
    forgiven = [error for error in errors if error.code in field_mistakes.UNKNOWN and error.span not in excepted]
    if errors and resolved.decl.skip_unknown and len(forgiven) == len(errors):
        kept = [diagnostic for diagnostic in found if not diagnostic.is_error]
        skipped = mistakes.skipped(errors[0].span, errors[0].message)
        return None, [*kept, replace(skipped, rule=resolved.decl.name.text)]
    return rule, found


def _unused_fields(resolved: ResolvedRule, catalogue: Catalogue) -> list[Diagnostic]:
    """Mistakes in the fields of exceptions without values, which are no part of the condition."""
    checker = Checker(catalogue, resolved.dialect)
    for exception in resolved.decl.exceptions or ():
        for operand in exception.fields if exception.fields is not None and not exception.values else ():
            checker.operand(operand)
    return [replace(diagnostic, rule=resolved.decl.name.text) for diagnostic in checker.diagnostics]


def _unknown_in(problem: Diagnostic, places: set[Span]) -> bool:
    return problem.code in field_mistakes.UNKNOWN and problem.span in places


def _warnings(rule: Rule, resolved: ResolvedRule, options: LoadOptions) -> Iterator[Diagnostic]:
    """What is no mistake in the rule, but where it runs."""
    span = resolved.decl.name.span
    if resolved.dialect == "falco":
        yield from (replace(diagnostic, rule=rule.name) for diagnostic in wrong_in_falco(resolved.expr))
    types = options.event_types(rule.condition) if options.event_types is not None and rule.source == DEFAULT_SOURCE else None
    if types is not None and len(types) > MANY_EVENT_TYPES and resolved.decl.warn_evttypes is not False:
        yield replace(mistakes.too_many_event_types(span), rule=rule.name)
    if options.reach is not None and (lacks := lacking(rule.condition, types, options.reach)):
        yield replace(mistakes.never_matches(span, lacks, options.reach.sources), rule=rule.name)


def _arranged(diagnostics: Iterable[Diagnostic], files: Sequence[str]) -> tuple[Diagnostic, ...]:
    """By file and place. The same mistake at the same place, seen by each rule that uses it, is there once."""
    rank = {name: number for number, name in enumerate(files)}
    keyed: dict[tuple[int, str, int, int, str, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        span = diagnostic.span.located() if diagnostic.span is not None else None
        name = span.source.name if span is not None else diagnostic.path or ""
        start, end = (span.start, span.end) if span is not None else (-1, -1)
        keyed.setdefault((rank.get(name, -1), name, start, end, diagnostic.code, diagnostic.message), diagnostic)
    return tuple(diagnostic for _, diagnostic in sorted(keyed.items(), key=lambda pair: pair[0]))
