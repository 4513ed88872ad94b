"""Every address of the site, by app."""

from django.urls import include, path

from zoetrope.studio.api import api

urlpatterns = [
    path("", include("zoetrope.studio.spaces.urls")),
    path("", include("zoetrope.studio.personas.urls")),
    path("", include("zoetrope.studio.making.urls")),
    path("", include("zoetrope.studio.loras.urls")),
    path("", include("zoetrope.studio.workshop.urls")),
    path("api/", api.urls),
]
