"""The Kubernetes pod around the container (`k8s`). What only the API server knows is in Falco's list and filled by nobody."""

from __future__ import annotations

from ruleng.fields.extra import of_event
from ruleng.fields.filled import ANY, NOBODY
from ruleng.fields.types import Field
from ruleng.fields.types import FieldType as T


def _label(arg: str) -> str:
    return f"(c.pod_labels or EMPTY).get({arg!r})"


_KINDS = {"rc": "replication controller", "svc": "service", "rs": "replica set", "deployment": "deployment", "ns": "namespace"}


def _of_the_api_server() -> tuple[Field, ...]:
    """name, id, label and labels of what stands above a pod; the namespace's name comes with the pod."""
    rows = []
    for short, kind in _KINDS.items():
        stem = f"k8s.{short}"
        if short != "ns":
            rows.append(_gone(f"{stem}.name", f"Name of the {kind}."))
        rows += [_gone(f"{stem}.id", f"Id of the {kind}."), _gone(f"{stem}.labels", f"Labels of the {kind}.")]
        rows.append(
            Field(
                name=f"{stem}.label",
                type=T.STRING,
                doc=f"One label of the {kind}.",
                argument="required",
                argument_doc="the label",
                dotted=True,
                read_arg=lambda arg, name=f"{stem}.label": of_event(f"{name}[{arg}]"),  # type: ignore[misc]
                deprecated="Falco's k8smeta plugin has it",
                sources=NOBODY,
            )
        )
    return tuple(rows)


def _gone(name: str, doc: str) -> Field:
    return Field(
        name=name, type=T.STRING, doc=doc, read=of_event(name), cost=2, deprecated="Falco's k8smeta plugin has it", sources=NOBODY
    )


# fmt: off
FIELDS = (
    Field(
        name="k8s.ns.name", type=T.STRING, doc="Namespace of the pod.", read="c.pod_namespace", sources=ANY,
        ecs="orchestrator.namespace", ocsf="actor.process.container.orchestrator",
    ),
    Field(
        name="k8s.pod.name", type=T.STRING, doc="Name of the pod.", read="c.pod_name", sources=ANY,
        ecs="orchestrator.resource.name",
    ),
    Field(
        name="k8s.pod.uid", type=T.STRING, doc="Id of the pod in the cluster.", read="c.pod_uid", sources=ANY,
        ecs="orchestrator.resource.id", ocsf="actor.process.container.pod_uuid",
    ),
    Field(
        name="k8s.pod.id", type=T.STRING, doc="The same as `k8s.pod.uid`.", read="c.pod_uid", sources=ANY,
        ecs="orchestrator.resource.id", ocsf="actor.process.container.pod_uuid",
    ),
    Field(
        name="k8s.pod.sandbox_id", type=T.STRING, doc="First 12 characters of the sandbox's id.",
        read="first12(c.pod_sandbox_id)", cost=3, sources=ANY,
    ),
    Field(
        name="k8s.pod.full_sandbox_id", type=T.STRING, doc="Id of the sandbox that holds the pod's containers.",
        read="c.pod_sandbox_id", sources=ANY,
    ),
    Field(
        name="k8s.pod.label", type=T.STRING, doc="One label of the pod.", argument="required", dotted=True, read_arg=_label,
        cost=3, argument_doc="the label: `k8s.pod.label[app.kubernetes.io/name]`", sources=ANY,
        ecs="orchestrator.resource.label",
    ),
    Field(
        name="k8s.pod.labels", type=T.STRING, doc="All labels of the pod, name:value, with commas and blanks between.",
        read="labels_text(c.pod_labels)", cost=20, sources=ANY, ecs="orchestrator.resource.label",
    ),
    Field(
        name="k8s.pod.ip", type=T.STRING, doc="The pod's first IPv4 address.", read="c.ip", sources=ANY,
        ecs="orchestrator.resource.ip",
    ),
    Field(
        name="k8s.pod.cni.json", type=T.STRING, doc="What the pod's network plugin answered, as JSON.",
        read=of_event("k8s.pod.cni.json"), cost=2, sources=NOBODY,
    ),
    *_of_the_api_server(),
)
# fmt: on
