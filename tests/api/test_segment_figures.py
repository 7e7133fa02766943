"""What is counted of segments when a program asks, and their tags."""

from segments.models import SegmentMember
from tests.api.client import program
from tests.api.world import make_world
from workspaces.models import Workspace


def test_parts_of_segments_are_counted_and_become_segments_by_their_rules(
    workspace: Workspace,
) -> None:
    world, caller = make_world(workspace), program(workspace)
    ids = (world["segment_id"].pk, world["static"].pk)
    SegmentMember.objects.get_or_create(
        workspace=workspace, segment=world["static"], profile_id=world["profile_id"].pk
    )
    told = caller.get(f"/segments/overlap?segment={ids[0]}&segment={ids[1]}").json()
    assert told["total"] == 1
    assert (told["parts"][0]["inside"], told["parts"][0]["size"]) == (list(ids), 1)
    made = caller.post("/segments", {"name": "Both", "rules": told["parts"][0]["rules"]})
    counts = caller.get(f"/segments/{made.json()['id']}/rule-counts").json()
    assert [(one["found"], one["kept"]) for one in counts["rules"]] == [(1, 1), (1, 1)]
    once = caller.get(f"/segments/overlap?segment={ids[0]}&segment={ids[0]}")
    assert once.json()["code"] == "refused"
    renamed = caller.post("/segment-tags/rename", {"tag": "vip", "becomes": "best"}).json()
    assert renamed["items"] == [{"tag": "best", "segments": 1}]
    assert caller.post("/segment-tags/delete", {"tag": "vip"}).json()["code"] == "not_found"
