"""Addresses of voting."""

from django.urls import path

from zoetrope.studio.voting import views

urlpatterns = [
    path("s/<slug:space>/runs/<int:run>/vote/", views.vote, name="vote"),
    path("s/<slug:space>/runs/<int:run>/vote/answer/", views.answer, name="vote-answer"),
    path("s/<slug:space>/vote/", views.anywhere, name="vote-anywhere"),
]
