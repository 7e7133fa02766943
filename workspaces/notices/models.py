"""What happened, what is wrong until it is right again, who was told, and by which way."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces.sentences import SentenceField
from workspaces.tenancy import TenantForeignKey, TenantModel
from workspaces.users import somebody


class Event(TenantModel):
    """Something that happened, for programs: a kind, and plain data without personal data.

    `text` says the same to people, `path` is the page about it.
    """

    kind = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    text = SentenceField(blank=True)
    path = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-at"], name="event_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class Trouble(TenantModel):
    """Something that is wrong with a subject (`model:id`), from when to when.

    One that has not ended is why nobody is told of the same again.
    """

    topic = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "topic", "subject"],
                condition=models.Q(ended_at__isnull=True),
                name="one_trouble_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}"


class Notice(TenantModel):
    """One member told of one thing: in the app if `in_app`, by e-mail if that is due or done.

    `email_at` is when the e-mail is to be tried next; null when it is not, or no longer, due.
    """

    class Tone(models.TextChoices):
        BAD = "bad", _("Trouble")
        WARN = "warn", _("Attention")
        GOOD = "good", _("Recovered")
        NEWS = "idle", _("News")

    membership = TenantForeignKey(
        "workspaces.Membership", on_delete=models.CASCADE, related_name="+"
    )
    topic = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    tone = models.CharField(max_length=10, choices=Tone.choices)
    text = SentenceField()
    path = models.CharField(max_length=300)
    in_app = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    email_at = models.DateTimeField(null=True, editable=False)
    email_attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "membership", "-id"], name="notices_of_member"),
            models.Index(
                fields=["workspace", "email_at"],
                condition=models.Q(email_at__isnull=False),
                name="notice_e_mail_due",
            ),
        ]

    def __str__(self) -> str:
        return str(self.text)


class NoticeChoice(TenantModel):
    """Which way a member wants to be told of a topic; without one the topic's usual ways hold."""

    membership = TenantForeignKey(
        "workspaces.Membership", on_delete=models.CASCADE, related_name="+"
    )
    topic = models.CharField(max_length=40)
    in_app = models.BooleanField()
    by_email = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "membership", "topic"], name="one_choice_a_topic"
            )
        ]

    def __str__(self) -> str:
        return self.topic


class Endpoint(TenantModel):
    """Where events are sent to: a program's webhook, or a Slack channel's.

    `url` is encrypted, since whoever knows Slack's may write there; `host` is shown. So is
    `secret`, with which requests are signed; Slack wants none. What people read is in `language`.
    """

    encrypted = ("url", "secret")

    class Form(models.TextChoices):
        JSON = "json", _("Webhook: signed JSON")
        SLACK = "slack", _("Slack: incoming webhook")

    name = models.CharField(_("name"), max_length=100)
    form = models.CharField(_("form"), max_length=10, choices=Form.choices, default=Form.JSON)
    url = models.BinaryField(editable=False)
    host = models.CharField(max_length=255, editable=False)
    secret = models.BinaryField(null=True, editable=False)
    events = ArrayField(models.CharField(max_length=60), default=list)
    enabled = models.BooleanField(_("on"), default=True)
    language = models.CharField(max_length=10, blank=True, editable=False)
    created_by = somebody()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="endpoint_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class EndpointDelivery(TenantModel):
    """One event on its way to one endpoint, with what came of the last attempt.

    `due_at` is when it is tried next; taken up, it lies so far ahead that nobody else takes it
    meanwhile. `status` is the HTTP status, 0 for no answer.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "succeeded", _("Delivered")
        FAILED = "failed", _("Failed")

    endpoint = TenantForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = TenantForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    status = models.PositiveSmallIntegerField(default=0, editable=False)
    problem = SentenceField(blank=True)
    due_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    replayed_by = somebody()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "endpoint", "-id"], name="deliveries_of_endpoint"),
            models.Index(
                fields=["workspace", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="delivery_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.event_id}"
