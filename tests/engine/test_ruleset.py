"""What a RuleSet says of itself: the demand that sources see, what each rule needs and costs."""

from __future__ import annotations

import dataclasses

import pytest

from ruleng.engine.compile import compile_rules
from ruleng.fields.catalogue import standard
from ruleng.lang.load import load_sources
from ruleng.lang.source import Source

RULES = """
- rule: Shell
  desc: d
  condition: evt.type in (execve, execveat) and proc.name = bash and not proc.pname in (sshd, cron)
  output: by %user.name in %container.id at %evt.time
  priority: NOTICE
- rule: Connection
  desc: d
  condition: evt.type = connect and (fd.snet in (10.0.0.0/8) or toupper(proc.cmdline) = val(proc.exepath) or proc.aname[2] = x)
  output: o
  priority: NOTICE
- rule: Never
  desc: d
  condition: evt.type = open and evt.type = close and fd.name = x
  output: by %user.uid
  priority: NOTICE
- rule: Off
  desc: d
  condition: evt.type = unlink
  output: o
  priority: NOTICE
  enabled: false
"""


@pytest.fixture(scope="module")
def ruleset():
    loaded = load_sources([Source("rules.yaml", RULES)], standard())
    assert not [diagnostic.message for diagnostic in loaded.diagnostics if diagnostic.is_error]
    return compile_rules(loaded.rules, standard())


def test_the_demand_holds_event_types_and_fields_of_conditions_and_outputs(ruleset):
    assert ruleset.demand.event_types == {"execve", "execveat", "connect"}
    assert ruleset.demand.fields == {
        *("evt.type", "evt.time", "proc.name", "proc.pname", "user.name", "container.id"),
        *("fd.snet", "proc.aname", "proc.exepath", "proc.cmdline"),
    }


def test_a_rule_that_can_never_match_needs_nothing(ruleset):
    assert not ruleset.needs[2].event_types
    assert not ruleset.needs[2].fields


def test_each_rule_has_a_cost_and_a_dear_one_costs_more(ruleset):
    shell, connection, never, off = [need.cost for need in ruleset.needs]
    assert shell > 0
    assert connection > 0
    assert never == off == 0


def test_a_rule_set_cannot_be_changed(ruleset):
    with pytest.raises(dataclasses.FrozenInstanceError):
        ruleset.rules = ()


def test_a_rule_without_an_event_type_wants_every_event():
    text = RULES.replace("evt.type in (execve, execveat) and ", "")
    loaded = load_sources([Source("rules.yaml", text)], standard())
    assert compile_rules(loaded.rules, standard()).demand.event_types == standard().event_types
