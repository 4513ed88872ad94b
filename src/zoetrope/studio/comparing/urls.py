"""Addresses of comparisons."""

from django.urls import path

from zoetrope.studio.comparing import views

urlpatterns = [
    path("s/<slug:space>/p/<slug:persona>/compare/", views.comparisons, name="comparisons"),
    path("s/<slug:space>/compare/<int:comparison>/", views.one, name="comparison"),
    path("s/<slug:space>/compare/<int:comparison>/judge/", views.judge, name="judge"),
    path("s/<slug:space>/compare/<int:comparison>/judge/answer/", views.answer, name="judge-answer"),
]
