"""Text that hides something: not stored any more, harmless where it was, and cut where it is
another's."""

import unicodedata
from typing import Any

import pytest

from tests.standin.cnpg import StandIn
from tests.support.api import Api, ApiError, Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.loose_schema import loose_schema
from tests.support.operator import Operators
from tests.support.rows import Rows

OWNER, PURPOSE = "check\u200bout", 'line1\nlevel=error msg=forged\r\n \x1b[31mRED \u202e"'
FORGED = "FORGED by tenant\nsecond line \x1b[31m<script> \u202e" + "x" * 5000


def hides(text: str) -> bool:
    return any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") for each in text)


async def test_a_database_from_before_the_rule_is_served_edited_and_deleted(
    api: Api, databases: Databases, operators: Operators, rows: Rows
) -> None:
    async with loose_schema(api, databases.namespace):
        await databases.create("orders", ownerTeam=OWNER, purpose=PURPOSE)
    await operators.start()
    await databases.ready("orders")  # its status could be written, by today's schema
    (row,) = await rows.named("orders")
    assert row["owner_team"] == "check\ufffdout"
    assert row["purpose"] == 'line1 level=error msg=forged  \ufffd[31mRED \ufffd"'
    await databases.edit("orders", deletionProtection=True)  # what does not change is not judged
    await databases.edit("orders", deletionProtection=False)
    for field, text in (("ownerTeam", OWNER), ("purpose", PURPOSE)):
        with pytest.raises(ApiError, match="must be one line of text") as refused:
            await databases.edit("orders", **{field: f"another {text}"})
        assert refused.value.status == 422
    await databases.edit("orders", ownerTeam="checkout", purpose="Orders of the web shop")
    await eventually(lambda: rows.named("orders"), lambda found: is_of(found, "checkout"))
    await databases.delete("orders")
    await databases.gone("orders")


def is_of(found: list[Any], team: str) -> bool:
    return [row["owner_team"] for row in found] == [team]


async def test_what_a_tenant_writes_into_the_clusters_status_is_cut_and_shown_whole_nowhere(
    databases: Databases, operators: Operators, rows: Rows, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    standin.sleep()
    status = {"phase": "Cluster is unrecoverable and needs manual intervention"}
    status |= {"phaseReason": FORGED, "currentPrimary": ""}
    body: Object = {"status": status}
    await databases.api.patch("clusters", databases.namespace, "daap-orders", body, "status")
    found = await databases.stalled("orders", "Unrecoverable")
    message = condition(found, "Stalled")["message"]
    assert "FORGED by tenant second line \ufffd[31m<script>" in message
    assert len(message) < 1000
    (row,) = await eventually(
        lambda: rows.named("orders"), lambda rows: bool(rows and rows[0]["error_message"])
    )
    events = await databases.api.list("events", databases.namespace)
    told = [str(event.get("note")) for event in events]
    assert any("FORGED" in text for text in told)
    for text in (message, str(row["error_message"]), *told):
        assert not hides(text)
