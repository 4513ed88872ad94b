"""Addresses of writing."""

from django.urls import path

from zoetrope.studio.writing import views

urlpatterns = [
    path("s/<slug:space>/writer/", views.writer, name="writer"),
    path("s/<slug:space>/writer/try/", views.try_it, name="writer-try"),
]
