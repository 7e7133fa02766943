"""Forms of SQL sources: where the database is, and what is asked of it."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from segments.databases.kinds import Kind, kind_of, offered
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Encryption, Table, Target
from segments.models import Source, SqlQuery

# No comma, slash or blank: a driver would take what is around them for more than a name.
HOST = re.compile(r"[\w.:-]+")
NEEDED = ("host", "database", "file", "username", "encryption")


class ConnectionForm(forms.Form):
    """Where a database is and who reads from it; each kind shows what it needs."""

    name = forms.CharField(
        label=gettext_lazy("Name of the source"),
        max_length=100,
        help_text=gettext_lazy("Such as “Web shop customers”."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind of database"), widget=forms.RadioSelect)
    host = forms.CharField(
        label=gettext_lazy("Host"),
        max_length=255,
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "off", "placeholder": "db.example.com"}
        ),
    )
    port = forms.IntegerField(
        label=gettext_lazy("Port"),
        min_value=1,
        max_value=65535,
        required=False,
        help_text=gettext_lazy("Left empty, it is the usual one."),
    )
    database = forms.CharField(
        label=gettext_lazy("Database"),
        max_length=255,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )
    file = forms.CharField(
        label=gettext_lazy("File"),
        max_length=500,
        help_text=gettext_lazy("Its name in this workspace’s folder on the server."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=255,
        help_text=gettext_lazy("Best an account that can only read."),
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=10_000,
        required=False,
        strip=False,
        help_text=gettext_lazy("Kept encrypted, and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    encryption = forms.ChoiceField(
        label=gettext_lazy("Encryption"),
        choices=Encryption.choices,
        initial=Encryption.REQUIRE,
    )

    def __init__(self, *args: Any, query: SqlQuery | None = None, **kwargs: Any) -> None:
        if query is not None:
            kwargs["initial"] = _initial_of(query)
        super().__init__(*args, **kwargs)
        self.kinds = offered()
        choices: Any = [(kind.name, kind.label) for kind in self.kinds]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        self.fields["kind"].initial = choices[0][0]
        for kind in self.kinds:
            for name, label in kind.options:
                self.fields[f"{kind.name}_{name}"] = forms.CharField(
                    label=str(label), max_length=10_000, required=False
                )
        self._require(self.data.get("kind", "") if self.is_bound else "")
        if query is not None:
            del self.fields["name"]
            if query.password is not None:
                self.fields["password"].help_text = _("Left empty, it stays as it is.")

    def _require(self, kind: str) -> None:
        """Asks for what the kind needs; with none, as a page shows it, for what any would."""
        known = next((one for one in self.kinds if one.name == kind), None)
        for name in NEEDED:
            self.fields[name].required = known is None or name in _fields_of(known)

    def shown_with(self, field: str) -> str:
        """The kinds that show a field, as `data-shown-when` takes them."""
        return "|".join(kind.name for kind in self.kinds if field in _fields_of(kind))

    def parts(self) -> list[tuple[str, Any]]:
        """The fields that not every kind shows, each with the kinds that do."""
        names = [name for name in self.fields if name not in ("name", "kind")]
        return [(self.shown_with(name), self[name]) for name in names]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if Source.objects.filter(name__iexact=name).exists():
            raise ValidationError(_("Another source has this name. Choose a different one."))
        return name

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        if host and not HOST.fullmatch(host):
            raise ValidationError(
                _("Type the name or the address of the host alone, such as db.example.com.")
            )
        return host

    def clean(self) -> None:
        super().clean()
        self._require("")

    def target(self, home: str) -> Target:
        """What was entered, for the workspace whose folder of files is `home`."""
        kind = kind_of(self.cleaned_data["kind"])
        entered: dict[str, Any] = {
            name: self.cleaned_data[name] or ""
            for name in ("host", "database", "username", "password", "encryption")
            if name in kind.fields
        }
        if kind.is_file:
            entered["database"] = self.cleaned_data["file"]
        return Target(
            kind.name,
            port=(self.cleaned_data["port"] or kind.port) if "port" in kind.fields else 0,
            options={name: self.cleaned_data[f"{kind.name}_{name}"] for name, _l in kind.options},
            home=home,
            **({"encryption": Encryption.REQUIRE.value} | {k: v for k, v in entered.items() if v}),
        )

    def tell(self, problem: DatabaseProblem) -> None:
        """Puts the problem where it can be mended."""
        field = problem.field
        if field == "database" and kind_of(self.cleaned_data["kind"]).is_file:
            field = "file"
        self.add_error(field if field in self.fields else None, str(problem))


def _fields_of(kind: Kind) -> list[str]:
    names = ["file"] if kind.is_file else list(kind.fields)
    return names + [f"{kind.name}_{name}" for name, _label in kind.options]


def _initial_of(query: SqlQuery) -> dict[str, Any]:
    initial: dict[str, Any] = {
        name: getattr(query, name) for name in ("kind", "host", "username", "encryption")
    }
    initial["port"] = query.port or None
    initial["database"] = initial["file"] = query.database
    return initial | {f"{query.kind}_{name}": value for name, value in query.options.items()}


class QueryForm(forms.Form):
    """What is asked of the database: all of a table, or a query."""

    what = forms.ChoiceField(
        label=gettext_lazy("Where the rows come from"),
        choices=[
            ("table", gettext_lazy("A table or view, with all of its rows")),
            ("query", gettext_lazy("A query")),
        ],
        initial="table",
        widget=forms.RadioSelect,
    )
    table = forms.CharField(
        label=gettext_lazy("Table"),
        max_length=600,
        error_messages={"required": gettext_lazy("Choose a table.")},
        widget=forms.TextInput(
            attrs={"list": "tables", "spellcheck": "false", "autocapitalize": "off"}
        ),
    )
    statement = forms.CharField(
        label=gettext_lazy("Query"),
        strip=False,
        error_messages={"required": gettext_lazy("Type a query.")},
        help_text=gettext_lazy("One SELECT. Give a row for each customer, and name columns by AS."),
        widget=forms.Textarea(
            attrs={"rows": 8, "class": "code", "spellcheck": "false", "autocapitalize": "off"}
        ),
    )

    def __init__(self, *args: Any, query: SqlQuery, tables: list[Table], **kwargs: Any) -> None:
        table = query.table
        kwargs["initial"] = {
            "what": "query" if query.statement else "table",
            "table": table.label if table else "",
            "statement": query.statement,
        }
        super().__init__(*args, **kwargs)
        self.tables = {table.label: table for table in tables}
        self._require(self.data.get("what", "") if self.is_bound else "")

    def _require(self, what: str) -> None:
        self.fields["table"].required = what != "query"
        self.fields["statement"].required = what != "table"

    def clean(self) -> None:
        super().clean()
        self._require("")
        what, table = self.cleaned_data.get("what"), self.cleaned_data.get("table", "")
        if what == "table" and table and table not in self.tables:
            self.add_error(
                "table",
                _("There is no table “%(name)s” in the database. Choose one of the list.")
                % {"name": table},
            )
        if what == "query" and not self.cleaned_data.get("statement", " ").strip():
            self.add_error("statement", _("Type a query."))

    @property
    def asked(self) -> tuple[Table | None, str]:
        """The table or the statement."""
        if self.cleaned_data["what"] == "table":
            return self.tables[self.cleaned_data["table"]], ""
        return None, self.cleaned_data["statement"]

    def tell(self, problem: Exception) -> None:
        """Puts the problem where it can be mended."""
        is_of_query = getattr(problem, "field", "") == "statement"
        shown = "statement" if self.cleaned_data["what"] == "query" else "table"
        self.add_error(shown if is_of_query else None, str(problem))
