"""Addresses of the library and of what is tried with it."""

from django.urls import path

from zoetrope.studio.loras import views

urlpatterns = [
    path("s/<slug:space>/loras/", views.library, name="loras"),
    path("s/<slug:space>/loras/add/", views.add, name="lora-add"),
    path("s/<slug:space>/loras/<int:lora>/", views.one, name="lora"),
    path("s/<slug:space>/loras/<int:lora>/act/", views.act, name="lora-act"),
    path("s/<slug:space>/loras/<int:lora>/card/<str:sha256>/<int:side>", views.card, name="lora-card"),
    path("s/<slug:space>/loras/<int:lora>/file/<str:kind>", views.file, name="lora-file"),
    path("s/<slug:space>/try/", views.try_space, name="try"),
    path("s/<slug:space>/try/<int:order>/", views.tried, name="tried"),
    path("s/<slug:space>/p/<slug:persona>/loras/", views.worn, name="persona-loras"),
    path("s/<slug:space>/p/<slug:persona>/try/", views.try_persona, name="try-persona"),
]
