"""Every address of the site, by app."""

from django.urls import include, path

from zoetrope.studio import app
from zoetrope.studio.api import api

handler400 = "zoetrope.studio.middleware.unreadable"
handler500 = "zoetrope.studio.middleware.broken"
urlpatterns = [
    path("service-worker.js", app.service_worker, name="service-worker"),
    path("", include("zoetrope.studio.spaces.urls")),
    path("", include("zoetrope.studio.personas.urls")),
    path("", include("zoetrope.studio.servers.urls")),
    path("", include("zoetrope.studio.making.urls")),
    path("", include("zoetrope.studio.loras.urls")),
    path("", include("zoetrope.studio.workshop.urls")),
    path("", include("zoetrope.studio.pipelines.urls")),
    path("", include("zoetrope.studio.voting.urls")),
    path("", include("zoetrope.studio.comparing.urls")),
    path("", include("zoetrope.studio.library.urls")),
    path("", include("zoetrope.studio.writing.urls")),
    path("", include("zoetrope.studio.planning.urls")),
    path("", include("zoetrope.studio.publishing.urls")),
    path("", include("zoetrope.studio.publishing.accounts.urls")),
    path("", include("zoetrope.studio.insights.urls")),
    path("api/", api.urls),
]
