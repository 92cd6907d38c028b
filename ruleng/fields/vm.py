"""A guest watched from outside (`vm`): the machine, and the task as its kernel's memory shows it."""

from __future__ import annotations

from ruleng.fields.extra import of_event
from ruleng.fields.filled import VM
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T

# fmt: off
FIELDS = (
    Field(
        name="vm.id", type=T.STRING, doc="Id of the virtual machine, as its manager gives it.", read=of_event("vm.id"), cost=2,
        sources=VM, ecs="host.id", ocsf="device.uid", falco=False,
    ),
    Field(
        name="vm.name", type=T.STRING, doc="Name of the virtual machine.", read=of_event("vm.name"), cost=2, sources=VM,
        ecs="host.name", ocsf="device.name", falco=False,
    ),
    Field(
        name="vm.task.address", type=T.UINT64, doc="Where the task's task_struct lies in the guest's kernel.",
        read=of_event("vm.task.address"), cost=2, sources=VM, falco=False,
    ),
    Field(
        name="vm.task.state", type=T.STRING, doc="State of the task: running, sleeping, stopped, zombie, ...",
        read=of_event("vm.task.state"), cost=2, sources=VM, falco=False,
    ),
    Field(
        name="vm.task.hidden", type=T.BOOL, doc="Whether the guest's own process list lacks the task.",
        read=of_event("vm.task.hidden"), cost=2, sources=VM, falco=False,
    ),
    Field(
        name="vm.task.kernel", type=T.BOOL, doc="Whether it is a thread of the guest's kernel.",
        read=of_event("vm.task.kernel"), cost=2, sources=VM, falco=False,
    ),
)
# fmt: on
