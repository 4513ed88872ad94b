"""Addresses of the doors."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from zoetrope.studio.spaces import views, work

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.Enter.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("link/<str:secret>/", views.follow, name="link"),
    path("spaces/new/", views.new_space, name="space-new"),
    path("s/<slug:space>/members/", views.members, name="members"),
    path("s/<slug:space>/members/invite/", views.invite, name="invite"),
    path("s/<slug:space>/invitations/<int:invitation>/end/", views.end_invitation, name="invitation-end"),
    path("s/<slug:space>/members/<int:membership>/", views.set_role, name="member"),
    path("s/<slug:space>/tokens/", views.new_token, name="token-new"),
    path("s/<slug:space>/tokens/<int:token>/end/", views.end_token, name="token-end"),
    path("s/<slug:space>/jobs/", work.work, name="work"),
    path("s/<slug:space>/jobs/live/", work.live, name="work-live"),
    path("s/<slug:space>/jobs/<int:job>/", work.one, name="job-page"),
    path("s/<slug:space>/jobs/<int:job>/act/", work.act, name="job"),
]
