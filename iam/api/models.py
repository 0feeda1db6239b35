"""Answers that are kept to be given again."""

from django.db import models


class KeptAnswer(models.Model):
    """What a call with an Idempotency-Key was answered. Written in the transaction of the call itself."""

    pk = models.CompositePrimaryKey("instance_id", "id")
    instance_id = models.TextField()
    id = models.TextField(help_text="digest of caller, method and key")
    request = models.TextField(help_text="digest of the request: another one under the same key is refused")
    answer = models.TextField(help_text="the answer, sealed: it may hold a secret that is shown once")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "api_kept_answers"
