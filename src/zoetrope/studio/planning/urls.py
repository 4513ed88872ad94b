"""Addresses of planning."""

from django.urls import path

from zoetrope.studio.planning import cluster_views, views

_OF = "s/<slug:space>/p/<slug:persona>/"

urlpatterns = [
    path(f"{_OF}plan/", views.plan, name="plan"),
    path(f"{_OF}plan/make/", views.make, name="plan-make"),
    path(f"{_OF}pillars/", views.all_pillars, name="pillars"),
    path(f"{_OF}pillars/rhythm/", views.rhythm, name="rhythm"),
    path(f"{_OF}pillars/<int:pillar>/", views.one_pillar, name="pillar"),
    path(f"{_OF}pillars/<int:pillar>/act/", views.act_on_pillar, name="pillar-act"),
    path(f"{_OF}clusters/", cluster_views.all_clusters, name="clusters"),
    path(f"{_OF}clusters/proposed/", cluster_views.proposed, name="proposed"),
    path(f"{_OF}clusters/<int:cluster>/", cluster_views.one_cluster, name="cluster"),
    path(f"{_OF}clusters/<int:cluster>/act/", cluster_views.act_on_cluster, name="cluster-act"),
    path(f"{_OF}ideas/", views.all_ideas, name="ideas"),
    path(f"{_OF}ideas/<int:idea>/act/", views.act_on_idea, name="idea-act"),
]
