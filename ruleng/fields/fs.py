"""Paths that a call names (`fs.path`): absolute, and as the program gave them."""

from __future__ import annotations

from ruleng.fields.filled import ANY, GIVEN
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

# fmt: off
FIELDS = (
    Field(
        name="fs.path.name", type=T.STRING, doc="Absolute path of the file that the call works on.", read="e.paths.name",
        cost=2, sources=ANY, ecs="file.path", ocsf="file.path",
    ),
    Field(
        name="fs.path.nameraw", type=T.STRING, doc="That path as the program gave it.", read="e.paths.nameraw", cost=2,
        sources=ANY,
    ),
    Field(
        name="fs.path.source", type=T.STRING,
        doc="Absolute path that a call with two paths takes from: the old name, the link.", read="e.paths.source", cost=2,
        sources=GIVEN, ecs="file.path", ocsf="file.path",
    ),
    Field(
        name="fs.path.sourceraw", type=T.STRING, doc="That path as the program gave it.", read="e.paths.sourceraw", cost=2,
        sources=GIVEN,
    ),
    Field(
        name="fs.path.target", type=T.STRING,
        doc="Absolute path that a call with two paths leads to: the new name, what a link shows.", read="e.paths.target",
        cost=2, sources=GIVEN, ecs="file.target_path", ocsf="file_result.path",
    ),
    Field(
        name="fs.path.targetraw", type=T.STRING, doc="That path as the program gave it.", read="e.paths.targetraw", cost=2,
        sources=GIVEN,
    ),
)
# fmt: on
