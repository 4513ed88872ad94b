"""Addresses of insights."""

from django.urls import path

from zoetrope.studio.insights import views

_OF = "s/<slug:space>/p/<slug:persona>/insights/"

urlpatterns = [
    path(_OF, views.insights, name="insights"),
    path(f"{_OF}learnings/", views.learned, name="learnings"),
    path(f"{_OF}learnings/<int:learning>/act/", views.act_on_learning, name="learning-act"),
    path(f"{_OF}training/", views.winners, name="training"),
    path(f"{_OF}training/<int:proposal>/act/", views.act_on_winner, name="training-act"),
    path("s/<slug:space>/posts/<int:post>/numbers/", views.numbers, name="post-numbers"),
]
