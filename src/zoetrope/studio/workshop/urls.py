"""Addresses of the workshop, all of one persona."""

from django.urls import path

from zoetrope.studio.workshop import views

_AT = "s/<slug:space>/p/<slug:persona>/"

urlpatterns = [
    path(f"{_AT}sources/", views.sources, name="sources"),
    path(f"{_AT}captions/", views.captions, name="captions"),
    path(f"{_AT}review/", views.review, name="review"),
    path(f"{_AT}review/decide/", views.decide, name="decide"),
    path(f"{_AT}undo/", views.undo, name="undo"),
    path(f"{_AT}turns/", views.turns, name="turns"),
    path(f"{_AT}turns/<int:number>/samples/<str:name>", views.turn_sample, name="turn-sample"),
    path(f"{_AT}card/", views.card, name="card"),
    path(f"{_AT}card/<int:number>/<str:scene>.png", views.card_picture, name="card-picture"),
    path(f"{_AT}exports/", views.exports, name="exports"),
    path(f"{_AT}exports/<str:name>", views.export, name="export"),
    path(f"{_AT}face/<int:side>", views.face, name="face"),
    path(f"{_AT}pictures/<str:sha256>/<int:side>", views.picture, name="picture"),
]
