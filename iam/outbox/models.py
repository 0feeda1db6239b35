"""Messages to people. Recipient and text are sealed: they hold addresses and codes."""

from typing import ClassVar

from django.db import models

QUEUED, SENT, FAILED = "queued", "sent", "failed"


class Message(models.Model):
    """One mail or text message and what became of it."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.CharField(max_length=200)
    id = models.CharField(max_length=200)
    user_id = models.CharField(max_length=200)
    medium = models.CharField(max_length=10)
    topic = models.CharField(max_length=40)
    sealed = models.TextField()
    state = models.CharField(max_length=10, default=QUEUED)
    tries = models.IntegerField(default=0)
    error = models.CharField(max_length=500, default="")
    try_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox_messages"
        indexes: ClassVar = [
            models.Index(fields=["state", "try_at"], name="outbox_due"),
            models.Index(fields=["instance_id", "user_id"], name="outbox_user"),
        ]
