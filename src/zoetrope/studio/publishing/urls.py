"""Addresses of publishing."""

from django.urls import path

from zoetrope.studio.publishing import kept_views, post_views, slot_views, views
from zoetrope.studio.publishing.campaigns import urls as campaigns

_OF = "s/<slug:space>/p/<slug:persona>/calendar/"
_POST = "s/<slug:space>/posts/<int:post>/"

urlpatterns = [
    path("out/<str:signed>.jpg", views.outgoing, name="outgoing"),
    # What follows "link" is a secret to the log.
    path("calendar/link/<str:feed_secret>.ics", views.ical, name="feed"),
    path(_OF, views.calendar, name="calendar"),
    path(f"{_OF}add/", views.add, name="calendar-add"),
    path(f"{_OF}move/", views.move, name="calendar-move"),
    path(f"{_OF}undo/", views.undone, name="calendar-undo"),
    path(f"{_OF}plan/", views.plan, name="calendar-plan"),
    path(f"{_OF}write/", views.write, name="calendar-write"),
    path(f"{_OF}pictures/", views.pictures, name="calendar-pictures"),
    path(f"{_OF}table/", views.tables, name="posts-table"),
    path(f"{_OF}posts.csv", views.export, name="posts-export"),
    path(f"{_OF}renew/", views.renew_feed, name="feed-renew"),
    path(f"{_OF}slots/", slot_views.slots, name="slots"),
    path(f"{_OF}slots/act/", slot_views.act, name="slots-act"),
    path(_POST, post_views.one, name="post"),
    path(f"{_POST}act/", post_views.act, name="post-act"),
    path(f"{_POST}captions/", post_views.captions, name="post-captions"),
    path(f"{_POST}preview/", post_views.preview, name="post-preview"),
    path(f"{_POST}picture/<int:number>.jpg", post_views.picture, name="post-picture"),
    path("s/<slug:space>/library/<int:kept>/posts/", kept_views.posts, name="kept-posts"),
    *campaigns.urlpatterns,
]
