"""Addresses of writing."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
