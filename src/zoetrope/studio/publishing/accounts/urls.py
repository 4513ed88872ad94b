"""Addresses of the channels' pages and of the ledger."""

from django.urls import path

from zoetrope.studio.publishing.accounts import ledger_views, views

_OF = "s/<slug:space>/p/<slug:persona>/"

urlpatterns = [
    path(f"{_OF}channels/", views.channels, name="channels"),
    path(f"{_OF}channels/login/", views.log_in, name="channel-login"),
    path(f"{_OF}channels/outbox/", views.outbox, name="outbox"),
    path(f"{_OF}channels/outbox/<int:post>.zip", views.download, name="outbox-download"),
    path(f"{_OF}channels/<int:channel>/", views.channel, name="channel"),
    path(f"{_OF}channels/<int:channel>/act/", views.act, name="channel-act"),
    path(f"{_OF}channels/<int:channel>/used/", views.used, name="channel-used"),
    path(f"{_OF}ledger/", ledger_views.calls, name="ledger"),
    path(f"{_OF}ledger/table.csv", ledger_views.table, name="ledger-table"),
    path("channels/logged-in/", views.logged_in, name="channel-logged-in"),
]
