"""The container that the process runs in (`container`), as its runtime describes it."""

from __future__ import annotations

from ruleng.fields.extra import of_event
from ruleng.fields.filled import ANY, NOBODY
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T


def _mount(name: str, doc: str, part: str, by: str = "source") -> Field:
    """Looked up by source, but the source by destination, as Falco does."""
    return Field(
        name=name,
        type=T.STRING,
        doc=doc,
        argument="required",
        argument_doc="the mount's number from 0, or its other end, where * ? [...] are wild: `container.mount.dest[/var/run/*]`",
        read_arg=lambda arg: f"mount_part(c, {arg!r}, {by!r}, {part!r})",
        cost=20,
        sources=ANY,
    )


def _label(arg: str) -> str:
    return f"(c.labels or EMPTY).get({arg!r})"


_GONE = "Falco removes it"

# fmt: off
FIELDS = (
    Field(
        name="container.id", type=T.STRING, doc="First 12 characters of the container's id; `host` outside of containers.",
        read="c.id", sources=ANY, ecs="container.id", ocsf="actor.process.container.uid",
    ),
    Field(
        name="container.full_id", type=T.STRING, doc="The container's whole id; `host` outside of containers.",
        read="c.full_id", sources=ANY, ecs="container.id", ocsf="actor.process.container.uid",
    ),
    Field(
        name="container.name", type=T.STRING, doc="Name of the container; `host` outside of containers.", read="c.name",
        sources=ANY, ecs="container.name", ocsf="actor.process.container.name",
    ),
    Field(
        name="container.type", type=T.STRING, doc="What runs it: docker, podman, containerd, cri-o, runc, lxc, host.",
        read="c.type", sources=ANY, ecs="container.runtime", ocsf="actor.process.container.runtime",
    ),
    Field(
        name="container.image", type=T.STRING, doc="Image with its tag: falcosecurity/falco:latest.", read="c.image",
        sources=ANY, ecs="container.image.name", ocsf="actor.process.container.image.name",
    ),
    Field(
        name="container.image.id", type=T.STRING, doc="The image's id.", read="c.image_id", sources=ANY,
        ocsf="actor.process.container.image.uid",
    ),
    Field(
        name="container.image.repository", type=T.STRING, doc="Image without its tag: falcosecurity/falco.",
        read="c.image_repository", sources=ANY, ecs="container.image.name", ocsf="actor.process.container.image.name",
    ),
    Field(
        name="container.image.tag", type=T.STRING, doc="The image's tag: latest.", read="c.image_tag", sources=ANY,
        ecs="container.image.tag", ocsf="actor.process.container.image.tag",
    ),
    Field(
        name="container.image.digest", type=T.STRING, doc="The image's digest in its registry: sha256:...",
        read="c.image_digest", sources=ANY, ecs="container.image.hash.all", ocsf="actor.process.container.hash.value",
    ),
    Field(
        name="container.privileged", type=T.BOOL, doc="Whether it runs with all rights.", read="c.privileged", sources=ANY,
        ecs="container.security_context.privileged",
    ),
    Field(
        name="container.host_pid", type=T.BOOL, doc="Whether it shares the host's process ids.", read="c.host_pid", sources=ANY,
    ),
    Field(
        name="container.host_network", type=T.BOOL, doc="Whether it shares the host's network.", read="c.host_network",
        sources=ANY,
    ),
    Field(
        name="container.host_ipc", type=T.BOOL, doc="Whether it shares the host's System V IPC.", read="c.host_ipc",
        sources=ANY,
    ),
    Field(
        name="container.mounts", type=T.STRING, doc="Its mounts, source:dest:mode:rdwr:propagation, with blanks between.",
        read="mounts_text(c)", cost=20, sources=ANY,
    ),
    _mount("container.mount", "One mount, source:dest:mode:rdwr:propagation; `none` when there is none such.", ""),
    _mount("container.mount.source", "What is mounted.", "source", by="dest"),
    _mount("container.mount.dest", "Where it is mounted.", "dest"),
    _mount("container.mount.mode", "Mode of the mount.", "mode"),
    _mount("container.mount.rdwr", "`true` when it may be written.", "rdwr"),
    _mount("container.mount.propagation", "How mounts below it spread, see mount_namespaces(7).", "propagation"),
    Field(
        name="container.label", type=T.STRING, doc="One label.", argument="required",
        argument_doc="the label: `container.label[app]`", read_arg=_label, dotted=True, cost=3, sources=ANY,
        ecs="container.labels", ocsf="actor.process.container.labels",
    ),
    Field(
        name="container.labels", type=T.STRING, doc="All labels, name:value, with commas and blanks between.",
        read="labels_text(c.labels)", cost=20, sources=ANY, ecs="container.labels", ocsf="actor.process.container.labels",
    ),
    Field(name="container.ip", type=T.STRING, doc="Its first IPv4 address.", read="c.ip", sources=ANY),
    Field(
        name="container.cni.json", type=T.STRING, doc="What its network plugin answered, as JSON.",
        read=of_event("container.cni.json"), cost=2, sources=NOBODY,
    ),
    Field(
        name="container.start_ts", type=T.ABSTIME, doc="When it started.", unit="ns", read="c.start_ns", sources=ANY,
        ocsf="actor.process.container.created_time",
    ),
    Field(
        name="container.duration", type=T.RELTIME, doc="How long it has run.", unit="ns", read="since(e.time_ns, c.start_ns)",
        cost=3, sources=ANY,
    ),
    Field(
        name="container.healthcheck", type=T.STRING, doc="Its health check.", read=of_event("container.healthcheck"), cost=2,
        deprecated=_GONE,
    ),
    Field(
        name="container.liveness_probe", type=T.STRING, doc="Its liveness probe.", read=of_event("container.liveness_probe"),
        cost=2, deprecated=_GONE,
    ),
    Field(
        name="container.readiness_probe", type=T.STRING, doc="Its readiness probe.", read=of_event("container.readiness_probe"),
        cost=2, deprecated=_GONE,
    ),
    Field(
        name="proc.is_container_healthcheck", type=T.BOOL, doc="Whether the process is a health check.",
        read=of_event("proc.is_container_healthcheck"), cost=2, deprecated=_GONE,
    ),
    Field(
        name="proc.is_container_liveness_probe", type=T.BOOL, doc="Whether the process is a liveness probe.",
        read=of_event("proc.is_container_liveness_probe"), cost=2, deprecated=_GONE,
    ),
    Field(
        name="proc.is_container_readiness_probe", type=T.BOOL, doc="Whether the process is a readiness probe.",
        read=of_event("proc.is_container_readiness_probe"), cost=2, deprecated=_GONE,
    ),
)
# fmt: on
