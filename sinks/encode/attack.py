"""MITRE ATT&CK in a rule's tags, as ruleng and Falco write it: `attack.t1059.004`, `T1059`, `attack.execution`,
`mitre_privilege_escalation`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

TACTICS = {
    "reconnaissance": "TA0043",
    "resource_development": "TA0042",
    "initial_access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege_escalation": "TA0004",
    "defense_evasion": "TA0005",
    "credential_access": "TA0006",
    "discovery": "TA0007",
    "lateral_movement": "TA0008",
    "collection": "TA0009",
    "command_and_control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
"""The enterprise matrix, attack.mitre.org/tactics/enterprise."""

_TECHNIQUE = re.compile(r"(?:attack\.|mitre_)?(t\d{4})(\.\d{3})?", re.IGNORECASE)
_TACTIC = re.compile(r"(?:attack\.|mitre_)(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attack:
    tactics: tuple[tuple[str, str], ...]  # (TA0002, Execution)
    techniques: tuple[str, ...]  # T1059, in the order of the tags; also the technique of each sub-technique
    sub_techniques: tuple[str, ...]  # T1059.004


def attack(tags: Iterable[str]) -> Attack:
    tactics: dict[str, str] = {}
    techniques: dict[str, None] = {}
    sub_techniques: dict[str, None] = {}
    for tag in tags:
        if match := _TECHNIQUE.fullmatch(tag):
            techniques[match[1].upper()] = None
            if match[2]:
                sub_techniques[match[1].upper() + match[2]] = None
        elif (match := _TACTIC.fullmatch(tag)) and (uid := TACTICS.get(match[1].lower())):
            tactics[uid] = match[1].lower().replace("_", " ").title().replace(" And ", " and ")
    return Attack(tuple(tactics.items()), tuple(techniques), tuple(sub_techniques))
