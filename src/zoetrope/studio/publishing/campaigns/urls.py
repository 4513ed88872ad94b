"""Addresses of campaigns."""

from django.urls import path

from zoetrope.studio.publishing.campaigns import views

_OF = "s/<slug:space>/p/<slug:persona>/campaigns/"

urlpatterns = [
    path(_OF, views.campaigns, name="campaigns"),
    path(f"{_OF}<int:campaign>/", views.campaign, name="campaign"),
    path(f"{_OF}<int:campaign>/act/", views.act, name="campaign-act"),
]
