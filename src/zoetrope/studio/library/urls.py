"""Addresses of the library."""

from django.urls import path

from zoetrope.studio.library import views

urlpatterns = [
    path("s/<slug:space>/library/", views.library, name="library"),
    path("s/<slug:space>/library/<int:kept>/", views.one, name="kept"),
    path("s/<slug:space>/library/<int:kept>/act/", views.act, name="kept-act"),
    path("s/<slug:space>/library/<int:kept>/file/<str:form>", views.file, name="kept-file"),
]
