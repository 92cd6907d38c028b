"""Who the process runs as (`user`, `group`)."""

from __future__ import annotations

from ruleng.fields.filled import ANY
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

# fmt: off
FIELDS = (
    Field(
        name="user.uid", type=T.UINT32, doc="User id of the process.", read="p.uid", sources=ANY, ecs="user.id",
        ocsf="actor.user.uid",
    ),
    Field(
        name="user.name", type=T.STRING, doc="Name of that user.", read="p.user.name", cost=2, sources=ANY, ecs="user.name",
        ocsf="actor.user.name",
    ),
    Field(name="user.homedir", type=T.STRING, doc="Home directory of that user.", read="p.user.home", cost=2, sources=ANY),
    Field(name="user.shell", type=T.STRING, doc="Login shell of that user.", read="p.user.shell", cost=2, sources=ANY),
    Field(
        name="user.euid", type=T.UINT32, doc="Effective user id: whose rights count.", read="p.euid", sources=ANY, falco=False,
        ecs="user.effective.id", ocsf="actor.process.euid",
    ),
    Field(
        name="user.loginuid", type=T.INT64, doc="User who logged in, kept through su and sudo; -1 when nobody did.",
        read="p.loginuid", sources=ANY, ecs="process.entry_leader.attested_user.id", ocsf="actor.process.auid",
    ),
    Field(
        name="user.loginname", type=T.STRING, doc="Name of the user who logged in.", read="p.login.name", cost=2, sources=ANY,
        ecs="process.entry_leader.attested_user.name",
    ),
    Field(
        name="group.gid", type=T.UINT32, doc="Group id of the process.", read="p.gid", sources=ANY, ecs="user.group.id",
        ocsf="actor.user.groups.uid",
    ),
    Field(
        name="group.name", type=T.STRING, doc="Name of that group.", read="p.group_of.name", cost=2, sources=ANY,
        ecs="user.group.name", ocsf="actor.user.groups.name",
    ),
    Field(
        name="group.egid", type=T.UINT32, doc="Effective group id.", read="p.egid", sources=ANY, falco=False,
        ecs="user.effective.group.id", ocsf="actor.process.egid",
    ),
)
# fmt: on
