"""Only what rules ask for is read from /proc."""

import pytest

from ruleng.fields.catalogue import standard
from ruleng.state.needs import _BY_FIELD, EVERYTHING, Needs, needs_of

NOTHING = dict.fromkeys(Needs.__dataclass_fields__, False)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("proc.name", set()),
        ("container.id", set()),
        ("proc.env", {"env"}),
        ("proc.aenv", {"env"}),
        ("thread.cap_effective", {"status"}),
        ("proc.ns.mnt", {"namespaces"}),
        ("proc.exe_ino", {"exe_file"}),
        ("proc.exe_ino.ctime", {"exe_file"}),
        ("proc.is_exe_upper_layer", {"exe_layer"}),
        ("proc.vpgid.name", {"status"}),
        ("thread.cgroup.cpuset", set()),
        ("thread.cgroups", {"cgroups"}),
    ],
)
def test_a_field_asks_for_what_it_is_read_from(field: str, wanted: set[str]) -> None:
    assert needs_of([field]) == Needs(**NOTHING | dict.fromkeys(wanted, True))


def test_every_field_of_the_table_is_in_the_catalogue() -> None:
    known = standard().fields
    for name in _BY_FIELD:
        assert name in known or any(field.startswith(name) for field in known if name.endswith(".")), name


def test_without_a_demand_everything_is_read() -> None:
    assert needs_of(None) == EVERYTHING
