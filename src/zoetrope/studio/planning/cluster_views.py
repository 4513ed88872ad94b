"""Clusters of a persona's pictures: by hand, and as groups that were found."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning import clusters, forms, grouping, pillars
from zoetrope.studio.planning.asked import key, keys, number, pillars_said
from zoetrope.studio.planning.models import Cluster, Proposal
from zoetrope.studio.polling import followed
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE, _PICTURES = 12, 48
# Nobody looks further, and no database counts further.
_LAST = 100_000


def cluster_of(persona: Persona, cluster: int) -> Cluster:
    """One of the persona's clusters."""
    return get_object_or_404(Cluster.objects.select_related("persona__space"), pk=cluster, persona=persona)


@in_space()
def all_clusters(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Pictures that belong together; a cluster is added."""
    found = persona_of(place, persona)
    form = forms.ClusterForm(request.POST or None)
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                added = clusters.add(found, **form.cleaned_data, pillars=pillars_said(request, found))
            except UserError as error:
                form.add_error(None, str(error))
            else:
                return redirect("cluster", place.space.slug, found.name, added.pk)
    gone = request.GET.get("gone") == "1"
    page = Paginator(clusters.listed(found, gone=gone), _A_PAGE).get_page(request.GET.get("page"))
    rows = list(page)
    pictures = clusters.pictures_of(rows)
    said: dict[str, Any] = {"persona": found, "form": form, "page": page, "gone": gone}
    said |= {"listed": [(each, pictures[each.pk]) for each in rows], "undo": _deleted(request, found)}
    said |= {"pillars": pillars.active(found) if place.reviews else []}
    return render(request, "planning/clusters.html", said, status=422 if form.errors else 200)


def _deleted(request: HttpRequest, persona: Persona) -> Cluster | None:
    """The one that was deleted just now."""
    key = number(request.GET.get("undo", ""))
    return Cluster.objects.filter(persona=persona, pk=key).exclude(gone=None).first() if key else None


@require_GET
@in_space()
def one_cluster(request: HttpRequest, place: Place, persona: str, cluster: int) -> HttpResponse:
    """A cluster's pictures, or those that could be put in."""
    found = persona_of(place, persona)
    row = cluster_of(found, cluster)
    joined = set(row.pillars.values_list("pk", flat=True))
    said: dict[str, Any] = {"persona": found, "cluster": row, "adding": request.GET.get("add") == "1"}
    said |= {"pillars": [(each, each.pk in joined) for each in pillars.active(found)]}
    said |= {"form": forms.ClusterForm(initial={"name": row.name, "note": row.note})}
    if said["adding"]:
        said |= _others(request, row)
    else:
        said |= {"page": Paginator(clusters.lying_in(row), _PICTURES).get_page(request.GET.get("page"))}
    return render(request, "planning/cluster.html", said)


def _others(request: HttpRequest, cluster: Cluster) -> dict[str, Any]:
    """A page of what could be put in. To count it all would take longer than to show some: one more says as much."""
    words, at = request.GET.get("q", "").strip()[:80], max(1, number(request.GET.get("page", "")) % _LAST)
    start = (at - 1) * _PICTURES
    rows = list(clusters.others(cluster, words)[start : start + _PICTURES + 1])
    before, after = at - 1, at + 1 if len(rows) > _PICTURES else 0
    return {"words": words, "others": rows[:_PICTURES], "before": before, "after": after}


@require_POST
@in_space(Role.reviewer)
def act_on_cluster(request: HttpRequest, place: Place, persona: str, cluster: int) -> HttpResponse:
    """Whatever people do to a cluster."""
    found = persona_of(place, persona)
    row = cluster_of(found, cluster)
    do = request.POST.get("do", "")
    if do == "put":
        messages.success(request, f"{_counted(clusters.put(row, keys(request, 'kept')))} put in.")
    elif do == "take-out":
        messages.info(request, f"{_counted(clusters.take_out(row, keys(request, 'kept')))} taken out.")
    elif do == "rename":
        clusters.change(row, request.POST.get("name", ""), request.POST.get("note", ""))
        messages.success(request, "Saved.")
    elif do == "join":
        clusters.join(row, pillars_said(request, found))
        messages.success(request, "Saved.")
    elif do == "delete":
        clusters.delete(row)
        return redirect(f"{reverse('clusters', args=(place.space.slug, found.name))}?undo={row.pk}")
    elif do == "restore":
        clusters.restore(row)
        messages.success(request, f"{row} is back, with its pictures.")
    else:
        raise UserError("That cannot be done to a cluster; nothing was changed.")
    return redirect("cluster", place.space.slug, found.name, row.pk)


@in_space()
def proposed(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Groups that were found among the pictures; each is a cluster only when somebody says so."""
    found = persona_of(place, persona)
    if request.method == "POST":
        place.ask(Role.reviewer)
        return _on_proposed(request, place, found)
    row = grouping.newest(found)
    job = grouping.job_of(row) if row and row.done is None else None
    said: dict[str, Any] = {"persona": found, "grouping": row, "job": job, "form": forms.GroupsForm()}
    said |= {"waits": row is not None and grouping.under_way(row)}
    said |= {"shown": grouping.shown(row) if row else []}
    return followed(request, "planning/proposed.html", "planning/proposed_now.html", said, said["waits"])


def _on_proposed(request: HttpRequest, place: Place, persona: Persona) -> HttpResponse:
    do = request.POST.get("do", "")
    if do == "ask":
        form = forms.GroupsForm(request.POST)
        if not form.is_valid():
            raise UserError(f"Nothing was looked for: {next(iter(form.errors.values()))[0]}")
        grouping.ask(persona, member(request), form.cleaned_data["wanted"], loose=form.cleaned_data["loose"])
    elif do == "take":
        rows = Proposal.objects.select_related("grouping__persona__space").filter(grouping__persona=persona)
        proposal = get_object_or_404(rows, pk=key(request, "proposal"))
        taken = grouping.take(proposal, request.POST.get("name", ""))
        messages.success(request, f"{taken} is a cluster now: say which pillars it serves.")
        return redirect("cluster", place.space.slug, persona.name, taken.pk)
    elif do == "dismiss":
        row = grouping.newest(persona)
        if row is not None:
            grouping.dismiss(row)
        messages.info(request, "What was proposed is forgotten; clusters that were taken stay.")
    else:
        raise UserError("Groups can be looked for, taken or dismissed; nothing was changed.")
    return redirect("proposed", place.space.slug, persona.name)


def _counted(count: int) -> str:
    return f"{count} picture{' was' if count == 1 else 's were'}"
