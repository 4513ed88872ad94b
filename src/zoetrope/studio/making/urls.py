"""Addresses of made pictures and clips."""

from django.urls import path

from zoetrope.studio.making import views

urlpatterns = [
    path("s/<slug:space>/made/<str:sha256>/<int:side>", views.picture, name="made-picture"),
    path("s/<slug:space>/made/<str:sha256>/clip", views.clip, name="made-clip"),
]
