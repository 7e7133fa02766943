"""What all answers have in common: pages, ETags, limits, problems, streams."""

import gzip
import tracemalloc
from typing import Any

import pytest
from django.db import connection

from api.problems import CODES, Problem
from exports.models import Rejection
from segments.models import Profile, Segment
from tests.api.client import program
from tests.api.world import make_world
from tests.exports.factories import DestinationFactory, RunFactory
from tests.segments.factories import AttributeFactory, SegmentFactory, group, rule
from workspaces.models import Role, Workspace


class TestPages:
    def test_all_of_a_list_comes_once_page_by_page(self, workspace: Workspace) -> None:
        names = [SegmentFactory(workspace=workspace).name for _ in range(5)]
        caller = program(workspace)
        found, after, pages = [], "", 0
        while after is not None:
            answer = caller.get(f"/segments?limit=2&after={after}").json()
            found += [one["name"] for one in answer["items"]]
            after, pages = answer["next"], pages + 1
        assert (found, pages) == (names, 3)

    @pytest.mark.parametrize(
        "cursor",
        ["x", "W10", "WyJhIl0", "WzEsMl0", "é", "%00", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"],
    )
    def test_what_is_no_cursor_is_said(self, workspace: Workspace, cursor: str) -> None:
        answer = program(workspace).get(f"/runs?after={cursor}")
        assert answer.json()["code"] in ("invalid_cursor", "invalid_request")

    def test_rejections_come_in_their_order_over_pages(self, workspace: Workspace) -> None:
        run = make_world(workspace)["run_id"]
        caller = program(workspace)
        first = caller.get(f"/runs/{run.pk}/rejections?limit=1").json()
        second = caller.get(f"/runs/{run.pk}/rejections?limit=1&after={first['next']}").json()
        keys = [one["profile_key"] for page in (first, second) for one in page["items"]]
        assert sorted(keys) == sorted(run.rejections.values_list("profile_key", flat=True))
        assert second["next"] is None


class TestETags:
    def test_what_is_known_is_not_sent_again(self, workspace: Workspace) -> None:
        make_world(workspace)
        caller = program(workspace)
        first = caller.get("/sources")
        again = caller.get("/sources", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    def test_a_change_overwrites_nobodys(self, workspace: Workspace) -> None:
        world = make_world(workspace)
        caller = program(workspace)
        for path in (
            f"/segments/{world['segment_id'].pk}",
            f"/destinations/{world['destination_id'].pk}",
        ):
            etag = caller.get(path)["ETag"]
            first = caller.send("patch", path, {"name": "Ann’s"}, headers={"If-Match": etag})
            assert first.status_code == 200, first.content
            late = caller.send("patch", path, {"name": "Ben’s"}, headers={"If-Match": etag})
            assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
            assert caller.get(path).json()["name"] == "Ann’s"
            again = caller.send(
                "patch", path, {"name": "Ben’s"}, headers={"If-Match": first["ETag"]}
            )
            assert again.status_code == 200

    def test_a_refresh_in_between_stands_in_no_changes_way(self, workspace: Workspace) -> None:
        segment = SegmentFactory(workspace=workspace)
        caller = program(workspace)
        etag = caller.get(f"/segments/{segment.pk}")["ETag"]
        Segment.objects.update(member_count=5)
        now = caller.get(f"/segments/{segment.pk}", headers={"If-None-Match": etag})
        assert now.status_code == 200
        changed = caller.send(
            "patch", f"/segments/{segment.pk}", {"name": "X"}, headers={"If-Match": etag}
        )
        assert changed.status_code == 200


class TestProblems:
    def test_every_code_says_what_to_do(self) -> None:
        for code, known in CODES.items():
            answer = Problem(code).response()
            assert (answer.status_code, answer["Content-Type"]) == (
                known.status,
                "application/problem+json",
            )
            assert str(known.advice).endswith(".")

    @pytest.mark.parametrize(
        ("method", "path", "body", "expected"),
        [
            ("get", "/nothing", None, (404, "not_found")),
            ("delete", "/sources", None, (405, "method_not_allowed")),
            ("post", "/segments", b"{", (400, "bad_request")),
            ("post", "/segments", {"name": "x", "rules": {}, "more": 1}, (422, "invalid_request")),
            ("post", "/segments", {"name": "x\0", "rules": {}}, (422, "invalid_request")),
            ("post", "/segments", {"name": "x", "rules": {}}, (422, "invalid_rules")),
            ("get", "/sources/99999999999999999999999", None, (404, "not_found")),
            ("get", "/profiles?q=%00", None, (422, "invalid_request")),
        ],
    )
    def test_whatever_is_wrong_is_a_problem_with_a_code(
        self, workspace: Workspace, method: str, path: str, body: Any, expected: tuple[int, str]
    ) -> None:
        answer = program(workspace).send(method, path, body)
        assert answer["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == expected

    def test_nonsense_in_rules_is_pointed_to(self, workspace: Workspace) -> None:
        AttributeFactory(workspace=workspace)
        rules = group(rule("city", "is", "Paris"), group(rule("town", "is", "Rome")))
        answer = program(workspace).post("/segments/preview", {"rules": rules}).json()
        assert answer["pointer"] == "/rules/rules/1/rules/0"
        assert "town" in answer["detail"]

    def test_each_wrong_field_of_an_export_is_named(self, workspace: Workspace) -> None:
        body = {
            "name": "x",
            "connection": 12345,
            "contact_list": {"create": "New"},
            "matching": {"email": "nothing", "first_name": "nothing"},
            "segments": [54321],
        }
        errors = program(workspace).post("/destinations", body).json()["errors"]
        pointers = {one["pointer"] for one in errors}
        assert {"/connection", "/email", "/segments", "/matching/first_name"} <= pointers

    def test_a_fault_of_ours_tells_nothing_of_it(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr("segments.preview.look", broken)
        answer = program(workspace).post("/segments/preview", {"rules": {}})
        assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
        assert "secret" not in answer.content.decode()

    def test_a_form_is_no_file(self, workspace: Workspace) -> None:
        answer = program(workspace).post(
            "/sources?name=x", "--b--", content_type="multipart/form-data; boundary=b"
        )
        assert answer.json()["code"] == "unsupported_media_type"

    def test_a_body_that_is_no_json_is_refused_before_it_is_read(
        self, workspace: Workspace
    ) -> None:
        caller, rules = program(workspace), b'{"rules": {"match": "all", "rules": []}}'

        def code(body: bytes, kind: str = "application/json", **headers: str) -> str:
            answer = caller.post(
                "/segments/preview", body, content_type=kind, headers=headers or None
            )
            return str(answer.json().get("code"))

        assert code(rules, "application/json; charset=utf-8") == "invalid_rules"
        assert code(rules, "text/plain") == "unsupported_media_type"
        assert code(b"rules=x", "application/x-www-form-urlencoded") == "unsupported_media_type"
        packed = {"Content-Encoding": "gzip"}
        assert code(gzip.compress(rules), **packed) == "unsupported_media_type"
        assert code(b'{"rules": NaN}') == code(b'{"rules": "\\ud800"}') == "bad_request"

    def test_a_parameter_that_is_misspelt_is_not_taken_for_none(self, workspace: Workspace) -> None:
        answer = program(workspace).get("/runs?limit=1&stat=failed")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"][0]["pointer"] == "/stat"
        assert program(workspace).get("/connections?limit=1").status_code == 200

    def test_a_file_that_is_none_leaves_no_source(self, workspace: Workspace) -> None:
        caller = program(workspace)
        for content, code in (
            (b"", "length_required"),
            (b"\x89PNG\r\n\x1a\n\0\0", "unreadable_file"),
        ):
            answer = caller.upload("/sources?name=Shop&key=id", content)
            assert answer.json()["code"] == code
        wrong_key = caller.upload("/sources?name=Shop&key=none", b"id,city\n1,Paris\n")
        assert (wrong_key.status_code, wrong_key.json()["code"]) == (409, "refused")
        assert caller.get("/sources").json()["items"] == []


def test_too_many_requests_are_told_when_to_come_back(workspace: Workspace, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 2
    caller = program(workspace)
    first, second, third = (caller.get("/token") for _ in range(3))
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("2", "1")
    assert second["RateLimit-Remaining"] == "0"
    assert (third.status_code, third.json()["code"]) == (429, "rate_limited")
    assert 0 < int(third["Retry-After"]) <= 60
    assert program(workspace).get("/token").status_code == 200


class TestStreams:
    def test_a_long_list_is_streamed_in_little_memory(self, workspace: Workspace) -> None:
        run = RunFactory(destination=DestinationFactory(workspace=workspace))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO exports_rejection"
                " (workspace_id, run_id, profile_id, profile_key, address, kind, reason, detail)"
                " SELECT %s, %s, n, 'k' || n, 'a' || n || '@example', 'invalid',"
                " 'malformed_address', '' FROM generate_series(1, 10000) n",
                [workspace.pk, run.pk],
            )
        assert Rejection.objects.count() == 10_000
        caller = program(workspace)
        # What is loaded once and stays is not counted.
        b"".join(caller.get(f"/runs/{run.pk}/rejections.csv").streaming_content)
        for form in ("jsonl", "csv"):
            lines = longest = 0
            tracemalloc.start()
            answer = caller.get(f"/runs/{run.pk}/rejections.{form}")
            for piece in answer.streaming_content:
                lines += piece.count(b"\n")
                longest = max(longest, len(piece))
            _now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert lines == 10_000 + (form == "csv")
            assert longest < 200_000
            assert peak < 12_000_000, f"{form}: {peak:,} bytes"

    def test_members_are_downloaded_as_they_are_kept(self, workspace: Workspace) -> None:
        segment = make_world(workspace)["segment_id"]
        caller = program(workspace, Role.CONTRIBUTOR)
        rows = b"".join(caller.get(f"/segments/{segment.pk}/members.csv").streaming_content)
        assert rows == b"key,attributes.city,attributes.email\r\nk1,Paris,ada@example.com\r\n"
        line = b"".join(caller.get(f"/segments/{segment.pk}/members.jsonl").streaming_content)
        profile = Profile.objects.get(key="k1")
        assert line.decode() == (
            f'{{"id":{profile.pk},"key":"k1","attributes":'
            '{"city":"Paris","email":"ada@example.com"}}\n'
        )
