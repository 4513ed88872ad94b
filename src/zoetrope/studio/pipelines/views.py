"""Pages of pipelines, and of runs with their trees."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.studio.making.models import key_of
from zoetrope.studio.making.store import preview_of
from zoetrope.studio.pipelines import forms, keeping, runs, telling
from zoetrope.studio.pipelines.models import Candidate, Gate, Pipeline, Run, Step
from zoetrope.studio.pipelines.steps import LOCAL, MOST_CHILDREN, StepIn, checked
from zoetrope.studio.pipelines.variables import FILLED
from zoetrope.studio.servers.drawing import hindrance
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE = 24
_LARGEST_PREVIEW = 1 << 20


def pipeline_of(place: Place, pipeline: int) -> Pipeline:
    """One of the space's pipelines."""
    return get_object_or_404(Pipeline, pk=pipeline, space=place.space)


def run_of(place: Place, run: int) -> Run:
    """One of the space's runs."""
    rows = Run.objects.select_related("version__pipeline", "persona", "winner__made")
    return get_object_or_404(rows, pk=run, space=place.space)


def picture_of(run: Run, candidate: int) -> Candidate:
    """One of the run's pictures."""
    return get_object_or_404(Candidate.objects.select_related("run"), pk=candidate, run=run)


@require_GET
@in_space()
def pipelines(request: HttpRequest, place: Place) -> HttpResponse:
    """The space's pipelines, and what one may begin as."""
    aside = request.GET.get("retired") == "1"
    rows = Pipeline.objects.filter(space=place.space, retired__isnull=not aside)
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    beginnings = [(name, about, [step.name for step in steps]) for name, (about, steps) in keeping.BEGINNINGS.items()]
    retired = Pipeline.objects.filter(space=place.space, retired__isnull=False).exists()
    said = {"page": page, "beginnings": beginnings, "aside": aside, "retired": retired}
    return render(request, "pipelines/pipelines.html", said)


@require_POST
@in_space(Role.owner)
def new(request: HttpRequest, place: Place) -> HttpResponse:
    """A pipeline that begins as one of those shipped."""
    name = request.POST.get("beginning", "")
    if name not in keeping.BEGINNINGS:
        raise UserError("Choose what the pipeline begins as; nothing was made.")
    about, steps = keeping.BEGINNINGS[name]
    made = keeping.make(place.space, name, about, steps, member(request))
    return redirect("pipeline", place.space.slug, made.pk)


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, pipeline: int) -> HttpResponse:
    """A pipeline: how it flows, and a run of it can be started."""
    found = pipeline_of(place, pipeline)
    version = keeping.newest(found)
    steps = keeping.steps_of(version)
    start_form = forms.Start(version=version, wanted=checked(steps), initial={"persona": request.GET.get("persona")})
    said: dict[str, Any] = {"pipeline": found, "version": version, "steps": steps}
    said |= {"start": start_form, "newest": _newest(found)}
    return render(request, "pipelines/one.html", said)


@in_space(Role.owner)
def change(request: HttpRequest, place: Place, pipeline: int) -> HttpResponse:
    """What a pipeline is called and does."""
    found = pipeline_of(place, pipeline)
    version = keeping.newest(found)
    about = forms.About(request.POST or None, initial={"name": found.name, "about": found.about})
    initial = forms.filled(keeping.steps_of(version))
    fields = forms.Steps(request.POST or None, request.FILES or None, initial=initial, prefix="step")
    bad = request.method == "POST"
    if bad and about.is_valid() and fields.is_valid():
        try:
            return _changed(request, place, found, about, fields)
        except UserError as error:
            about.add_error(None, str(error))
    said = {"pipeline": found, "version": version, "about": about, "fields": fields, "filled": list(FILLED.items())}
    return render(request, "pipelines/change.html", said, status=422 if bad else 200)


def _newest(pipeline: Pipeline) -> "list[Run]":
    rows = Run.objects.filter(version__pipeline=pipeline).select_related("persona", "winner__made", "version__pipeline")
    return list(rows[:6])


def _changed(request: HttpRequest, place: Place, found: Pipeline, about: forms.About, fields: Any) -> HttpResponse:
    steps: list[StepIn] = [step for form in fields if (step := form.step())]
    said = about.cleaned_data
    version = keeping.change(found, said["name"], said["about"], steps, member(request))
    # It may have another name now.
    version.pipeline.refresh_from_db()
    messages.success(request, f"{version} is what runs go by from now on.")
    return redirect("pipeline", place.space.slug, found.pk)


@require_POST
@in_space(Role.owner)
def act(request: HttpRequest, place: Place, pipeline: int) -> HttpResponse:
    """Copy a pipeline, put it aside, bring it back."""
    found = pipeline_of(place, pipeline)
    do = request.POST.get("do", "")
    if do == "copy":
        found = keeping.copy(found, member(request))
    elif do in ("retire", "restore"):
        keeping.retire(found, back=do == "restore")
        there = "is back" if do == "restore" else "is put aside; its runs stay, and it can be brought back"
        messages.info(request, f"{found} {there}.")
    else:
        raise UserError("A pipeline can be copied, put aside or brought back; nothing was changed.")
    return redirect("pipeline", place.space.slug, found.pk)


@require_POST
@in_space(Role.reviewer)
def start(request: HttpRequest, place: Place, pipeline: int) -> HttpResponse:
    """Start a run."""
    found = pipeline_of(place, pipeline)
    version = keeping.newest(found)
    form = forms.Start(request.POST, version=version, wanted=checked(keeping.steps_of(version)))
    if not form.is_valid():
        fault = next(iter(form.errors.values()))[0]
        raise UserError(f"The run was not started: {fault}")
    said = form.cleaned_data
    made = runs.start(found, said["persona"], said["run"], form.variables(), member(request))
    return redirect("run", place.space.slug, made.pk)


@require_GET
@in_space()
def all_runs(request: HttpRequest, place: Place) -> HttpResponse:
    """The space's runs, the newest first."""
    rows = Run.objects.filter(space=place.space).select_related("version__pipeline", "persona", "winner__made")
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    coming = telling.coming(list(page))
    listed = [(each, telling.standing(each, coming)) for each in page]
    return render(request, "pipelines/runs.html", {"page": page, "listed": listed})


@require_GET
@in_space()
def run(request: HttpRequest, place: Place, run: int) -> HttpResponse:
    """A run: its tree, its gates, its winner."""
    found = run_of(place, run)
    candidates = list(found.candidates.select_related("made", "step").defer("made__recipe"))
    stages, moves = telling.stages(found, candidates), telling.moves(found, candidates)
    said: dict[str, Any] = {"run": found, "persona": found.persona, "stages": stages}
    elsewhere = moves and bool(stages) and stages[-1].step.engine != LOCAL
    said |= {"tree": telling.tree(candidates), "moves": moves, "held": hindrance(place.space) if elsewhere else ""}
    said |= {"most": MOST_CHILDREN, "failed": sum(each.state == Candidate.State.FAILED for each in candidates)}
    page = "pipelines/run_now.html" if request.headers.get("HX-Request") else "pipelines/run.html"
    return render(request, page, said)


@require_GET
@in_space()
def preview(request: HttpRequest, place: Place, run: int, candidate: int) -> HttpResponse:
    """How a picture looks on its way; it is another one each time."""
    found = picture_of(run_of(place, run), candidate)
    try:
        data = read_limited(preview_of(key_of(found.order_id or 0)), _LARGEST_PREVIEW)
    except (OSError, MediaError) as error:
        raise Http404("It is not shown.") from error
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": "no-store"})


@require_POST
@in_space(Role.reviewer)
def act_on_run(request: HttpRequest, place: Place, run: int) -> HttpResponse:
    """Whatever people do to a run or one of its pictures."""
    found = run_of(place, run)
    do = request.POST.get("do", "")
    if do in runs.ON_RUN:
        runs.ON_RUN[do](found)
    elif do in runs.ON_PICTURE:
        runs.ON_PICTURE[do](picture_of(found, _key(request, "candidate")))
    elif do == "crown":
        runs.crown(found, picture_of(found, _key(request, "candidate")))
        messages.success(request, "This picture is the winner.")
    elif do == "approve":
        step = get_object_or_404(Step, pk=_key(request, "step"), version=found.version)
        gate = runs.approve(found, step, _key(request, "keep"), member(request))
        best = f"The best {count} of {step} go" if (count := gate.passed.count()) > 1 else f"The best of {step} goes"
        messages.success(request, f"{best} on in a few seconds; until then it can be undone.")
    elif do == "more":
        step = get_object_or_404(Step, pk=_key(request, "step"), version=found.version)
        runs.draw_more(found, step, _key(request, "count"))
    elif do == "take-back":
        runs.take_back(get_object_or_404(Gate, pk=_key(request, "gate"), run=found))
        messages.info(request, "Nothing went on; choose again.")
    else:
        raise UserError("That cannot be done to a run; nothing was changed.")
    return redirect("run", place.space.slug, found.pk)


def _key(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise UserError(f"It was not said which {name} is meant; nothing was changed.")
    return int(text)
