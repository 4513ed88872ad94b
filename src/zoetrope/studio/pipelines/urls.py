"""Addresses of pipelines and their runs."""

from django.urls import path

from zoetrope.studio.pipelines import views

urlpatterns = [
    path("s/<slug:space>/pipelines/", views.pipelines, name="pipelines"),
    path("s/<slug:space>/pipelines/new/", views.new, name="pipeline-new"),
    path("s/<slug:space>/pipelines/<int:pipeline>/", views.one, name="pipeline"),
    path("s/<slug:space>/pipelines/<int:pipeline>/steps/", views.change, name="pipeline-steps"),
    path("s/<slug:space>/pipelines/<int:pipeline>/act/", views.act, name="pipeline-act"),
    path("s/<slug:space>/pipelines/<int:pipeline>/start/", views.start, name="run-new"),
    path("s/<slug:space>/runs/", views.all_runs, name="runs"),
    path("s/<slug:space>/runs/<int:run>/", views.run, name="run"),
    path("s/<slug:space>/runs/<int:run>/preview/<int:candidate>/", views.preview, name="run-preview"),
    path("s/<slug:space>/runs/<int:run>/act/", views.act_on_run, name="run-act"),
]
