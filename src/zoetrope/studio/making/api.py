"""Orders and made pictures, for programs."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema

from zoetrope.studio.making.models import Made, Order
from zoetrope.studio.making.orders import job_of
from zoetrope.studio.making.pictures import sent_made
from zoetrope.studio.spaces.api import asked_place, sends

router = Router(tags=["making"])
_A_PAGE = 100


class MadeOut(Schema):
    """A picture or clip; its recipe makes it again, where it was made here."""

    sha256: str
    media: str
    width: int
    height: int
    recipe: dict[str, Any] | None
    created: datetime


class OrderOut(Schema):
    """What was asked for, how its job stands, and what there is of it by now."""

    id: int
    recipe: dict[str, Any]
    count: int
    state: str
    stage: str
    error: str
    made: list[MadeOut]


def order_out(order: Order) -> OrderOut:
    job = job_of(order)
    told = {name: getattr(order, name) for name in ("id", "recipe", "count")}
    # A job that was forgotten ended long ago.
    stands = (job.state, job.stage, job.error) if job else ("done", "", "")
    state, stage, error = map(str, stands)
    made = [MadeOut.from_orm(each) for each in order.made.order_by("number")]
    return OrderOut(**told, state=state, stage=stage, error=error, made=made)


@router.get("/spaces/{space}/orders/{order}", response=OrderOut)
def one_order(request: HttpRequest, space: str, order: int) -> OrderOut:
    """An order and its pictures so far."""
    place = asked_place(request, space)
    return order_out(get_object_or_404(Order, pk=order, space=place.space))


@router.get("/spaces/{space}/made", response=list[MadeOut])
def list_made(request: HttpRequest, space: str, before: int = Query(0, ge=0, lt=2**63)) -> list[Made]:  # type: ignore[type-arg]
    """Made pictures, the newest first, a hundred at a time; `before` is how many to leave out."""
    place = asked_place(request, space)
    return list(Made.objects.filter(space=place.space)[before : before + _A_PAGE])


@router.get("/spaces/{space}/made/{sha256}", openapi_extra=sends("image/png", "image/webp"))
def made_picture(request: HttpRequest, space: str, sha256: str, side: int = 0) -> HttpResponse:
    """One made picture, its longest side at most 160, 320 or 1280 pixels, or as it is (0)."""
    return sent_made(request, asked_place(request, space).space, sha256, side)
