"""The tables of jobs, their log lines and workers."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("started", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120, unique=True)),
                ("kind", models.CharField(max_length=60)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("scope", models.CharField(max_length=60)),
                ("args", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("lost", "Lost"),
                            ("stuck", "Stuck"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("stage", models.CharField(blank=True, max_length=80)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=400)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("crashes", models.PositiveSmallIntegerField(default=0)),
                ("reached", models.JSONField(default=dict)),
                ("round", models.PositiveIntegerField(default=1)),
                ("worker", models.CharField(blank=True, max_length=120)),
                ("holder", models.CharField(blank=True, max_length=32)),
                ("created", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due", models.DateTimeField(null=True)),
                ("queued", models.DateTimeField(null=True)),
                ("started", models.DateTimeField(null=True)),
                ("heartbeat", models.DateTimeField(null=True)),
                ("finished", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["scope", "state", "id"], name="jobs_scope_state"),
                    models.Index(fields=["scope", "changed"], name="jobs_scope_changed"),
                    models.Index(fields=["state", "id"], name="jobs_state"),
                    models.Index(fields=["changed"], name="jobs_changed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LogLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("text", models.CharField(max_length=400)),
                (
                    "job",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="jobs.job"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="jobs_line_at")],
            },
        ),
    ]
