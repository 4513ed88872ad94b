"""Addresses of the servers' pages."""

from django.urls import path

from zoetrope.studio.servers import views

urlpatterns = [
    path("s/<slug:space>/servers/", views.servers, name="servers"),
    path("s/<slug:space>/servers/<int:server>/", views.one, name="server"),
    path("s/<slug:space>/servers/<int:server>/act/", views.act, name="server-act"),
]
