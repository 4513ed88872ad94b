"""Addresses of personas."""

from django.urls import path

from zoetrope.studio.personas import views

urlpatterns = [
    path("s/<slug:space>/", views.space, name="space"),
    path("s/<slug:space>/new-persona/", views.new, name="persona-new"),
    path("s/<slug:space>/adopt/", views.take_in, name="persona-adopt"),
    path("s/<slug:space>/p/<slug:persona>/", views.home, name="persona"),
    path("s/<slug:space>/p/<slug:persona>/settings/", views.settings, name="persona-settings"),
    path("s/<slug:space>/p/<slug:persona>/take-out/", views.take_out, name="persona-take-out"),
    path("s/<slug:space>/p/<slug:persona>/consent/", views.consent, name="persona-consent"),
]
