"""An import in pages: its columns chosen, its progress watched, its refused rows looked at."""

import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from segments import drafts, imports, sources
from segments.models import Attribute, Import, Profile
from tests.exports.pages import words
from tests.segments.factories import ImportFactory, RefusedRowFactory
from tests.segments.files import counts, import_bytes, values
from workspaces.models import AuditEntry, Workspace

CUSTOMERS = b"id,name,points\n1,Ann,5\n2,,7\n3,Cat,9\n4,Dan,11\n"
SAMPLE = Path("segments/samples/prospective_buyers.csv")


@pytest.fixture
def draft(workspace: Workspace) -> Import:
    source = sources.create_source(workspace, "Shop")
    return drafts.take_file(source, "customers.csv", [CUSTOMERS])


def url(name: str, load: Import) -> str:
    return reverse(f"segments:{name}", args=[load.workspace.slug, load.pk])


def chosen(**changes: str) -> dict[str, str]:
    """What a person sends who keeps what is proposed; `keep_1=""` drops the second column."""
    entered = {"key": "id"}
    for place, (name, kind) in enumerate([("id", "text"), ("name", "text"), ("points", "integer")]):
        entered |= {f"keep-{place}": "on", f"label-{place}": name, f"type-{place}": kind}
    entered |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in entered.items() if value or "keep" not in name}


def imported(load: Import) -> Import:
    imports.run_import(load)
    load.refresh_from_db()
    return load


def test_the_proposal_shows_columns_types_key_and_first_values(
    client: Client, draft: Import
) -> None:
    answer = client.get(url("import_columns", draft))
    page = answer.content.decode()
    for name in ("id", "name", "points"):
        assert f"Keep {name}" in page
    assert 'name="key" value="id" checked' in page
    assert 'name="key" value="name" checked' not in page
    assert page.count('value="text" selected') == 2
    assert page.count('value="integer" selected') == 1
    assert "Ann – Cat" in words(answer)
    assert "Dan" not in words(answer)
    assert "columns separated by “,”, encoding UTF-8" in words(answer)


def test_the_samples_columns_are_proposed_rightly(client: Client, workspace: Workspace) -> None:
    source = sources.create_source(workspace, "Prospects")
    load = drafts.take_file(source, "prospects.csv", [SAMPLE.read_bytes()])
    page = client.get(url("import_columns", load)).content.decode()
    assert 'name="key" value="ProspectiveBuyerKey" checked' in page
    kinds = {column.column: column.type for column in drafts.chosen_columns(load)}
    assert kinds["BirthDate"] == "date"
    assert kinds["YearlyIncome"] == "number"
    assert {kinds[name] for name in ("PostalCode", "Phone", "EmailAddress")} == {"text"}


def test_columns_are_renamed_dropped_and_given_another_type(client: Client, draft: Import) -> None:
    entered = chosen(keep_1="", label_2="Loyalty points", type_2="text", key="id")
    answer = client.post(url("import_columns", draft), entered)
    assert answer["Location"] == url("import_detail", draft)
    draft.refresh_from_db()
    assert (draft.state, draft.started_by) == ("queued", client.member.user)  # type: ignore[attr-defined]
    assert counts(imported(draft)) == {"added": 4}
    assert values("1") == {"id": "1", "points": "5"}
    labels = dict(Attribute.objects.values_list("name", "label"))
    assert labels == {"id": "id", "points": "Loyalty points"}


def test_another_key_is_chosen(client: Client, draft: Import) -> None:
    client.post(url("import_columns", draft), chosen(key="points"))
    imported(draft)
    assert set(Profile.objects.values_list("key", flat=True)) == {"5", "7", "9", "11"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"label_1": "ID"}, "Two columns would be named “id”. Give each its own name."),
        ({"label_1": " "}, "Every column that is kept needs a name."),
        ({"keep_0": "", "keep_1": "", "keep_2": ""}, "Keep at least one column."),
        ({"key": "nothing"}, "The file has no column “nothing”. It has: id, name, points."),
        ({"label_1": "a\0b"}, "The value has a character that no text can hold. Type it again."),
    ],
)
def test_a_choice_that_makes_no_sense_is_told_and_stays_to_be_mended(
    client: Client, draft: Import, changes: dict[str, str], says: str
) -> None:
    entered = chosen(label_2="Loyalty", type_2="text", **changes) | {"skip_refused": "on"}
    answer = client.post(url("import_columns", draft), entered)
    assert says in words(answer)
    page = answer.content.decode()
    assert 'value="Loyalty"' in page
    assert 'aria-describedby="skip-refused-hint" checked' in page
    assert page.count('value="text" selected') == 3
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_an_import_is_started_once(client: Client, draft: Import) -> None:
    for _ in range(2):
        answer = client.post(url("import_columns", draft), chosen())
        assert answer["Location"] == url("import_detail", draft)
    assert AuditEntry.objects.filter(action="import.started").count() == 1


def test_a_draft_whose_file_is_gone_asks_for_it_again(client: Client, draft: Import) -> None:
    Path(draft.file_path).unlink()
    page = words(client.get(url("import_columns", draft), follow=True))
    assert "The uploaded file is gone. Upload it again." in page


def test_names_and_types_of_before_are_proposed_for_the_next_file(
    client: Client, draft: Import
) -> None:
    client.post(url("import_columns", draft), chosen(label_2="Loyalty", type_2="text"))
    imported(draft)
    following = drafts.take_file(draft.source, "next.csv", [CUSTOMERS])
    page = client.get(url("import_columns", following)).content.decode()
    assert 'value="Loyalty"' in page
    assert page.count('value="text" selected') == 3


def test_progress_is_looked_at_until_the_import_ends(client: Client, draft: Import) -> None:
    client.post(url("import_columns", draft), chosen())
    going_on = client.get(url("import_progress", draft)).content.decode()
    assert f'hx-get="{url("import_progress", draft)}?seen=queued-"' in going_on
    imported(draft)
    ended = client.get(url("import_progress", draft))
    assert "hx-get" not in ended.content.decode()
    page = words(ended)
    for said in ("Succeeded", "Rows read 4", "Added 4", "Refused 0", "Make a segment"):
        assert said in page


def test_a_row_that_cannot_be_read_is_shown_and_the_import_tried_again(
    client: Client, workspace: Workspace
) -> None:
    load = import_bytes(workspace, b"id,points\n1,5\n2,many\n", types={"points": "number"})
    page = words(client.get(url("import_detail", load)))
    assert "Nothing was imported" in page
    assert "1 row can’t be read, so nothing was imported." in page
    assert "2 points many Not a number" in page
    draft_page = client.post(url("import_again", load))["Location"]
    draft = Import.objects.exclude(pk=load.pk).get()
    assert draft_page == url("import_columns", draft)
    entered = {"key": "id", "keep-0": "on", "label-0": "id", "keep-1": "on", "label-1": "points"}
    client.post(draft_page, entered | {"type-1": "number", "skip_refused": "on"})
    assert counts(imported(draft)) == {"added": 1, "refused": 1}


def test_a_failed_import_whose_file_is_gone_is_not_tried_again(
    client: Client, workspace: Workspace
) -> None:
    load = ImportFactory(source__workspace=workspace, state="failed", reason="Broken")
    page = words(client.post(url("import_again", load), follow=True))
    assert "The uploaded file is gone. Upload it again." in page
    assert Import.objects.count() == 1


def test_refused_rows_are_downloaded_safe_to_open_in_a_spreadsheet(
    client: Client, workspace: Workspace
) -> None:
    load = ImportFactory(source__workspace=workspace, state="failed")
    for number, value in enumerate(["=1+1", "+1", "-1", "@x", "\tx", " =1", "plain", 'a,"b'], 1):
        RefusedRowFactory(source_import=load, row_number=number, value=value, column="=col")
    answer = client.get(url("import_refused_csv", load))
    assert answer["Content-Disposition"] == f'attachment; filename="refused-rows-{load.pk}.csv"'
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[arg-type]
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["Row", "Column", "Value", "Reason"]
    assert [row[0] for row in rows] == [str(number) for number in range(1, 9)]
    assert [row[2] for row in rows[:6]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "' =1"]
    assert [row[2] for row in rows[6:]] == ["plain", 'a,"b']
    assert {(row[1], row[3]) for row in rows} == {("'=col", "Not a number")}
    assert AuditEntry.objects.filter(action="import.refused_downloaded").exists()


def test_refused_rows_are_paged_and_filtered_by_why_and_the_download_has_all(
    client: Client, workspace: Workspace
) -> None:
    load = ImportFactory(source__workspace=workspace)
    for number in range(2, 32):
        RefusedRowFactory(source_import=load, row_number=number)
    RefusedRowFactory(source_import=load, row_number=40, column="Born", reason="not_a_date")
    page = client.get(url("import_detail", load))
    assert len(page.context["refused"]) == 20
    after = client.get(f"{url('import_detail', load)}{page.context['next_url']}")
    assert [one["row"].row_number for one in after.context["refused"]] == [*range(22, 32), 40]
    found = client.get(url("import_detail", load), {"why": "Born.not_a_date"})
    assert [one["row"].row_number for one in found.context["refused"]] == [40]
    assert "Born: Not a date" in words(found)
    assert "Refused rows" in words(client.get(url("import_detail", load), {"why": "x.y\0"}))
    download = client.get(url("import_refused_csv", load))
    assert b"".join(download).count(b"\n") == 32  # type: ignore[arg-type]
