"""What people say of a pipeline, of its steps, and of a run."""

import json
from typing import Any

from django import forms

from zoetrope.engines.comfyui.workflow import ENGINE, MOST_BYTES, Graph, read
from zoetrope.errors import UserError
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Version
from zoetrope.studio.pipelines.steps import MOST_CHILDREN, MOST_KEPT, MOST_STEPS, Local, StepIn, Template
from zoetrope.studio.pipelines.variables import PROMPT

_NUMBERS = ("steps", "true_guidance", "width", "height")


class About(forms.Form):
    """What it is called and for."""

    name = forms.CharField(max_length=80)
    about = forms.CharField(max_length=300, required=False, label="What it is for")


class StepForm(forms.Form):
    """One step; without a name it is none."""

    name = forms.CharField(max_length=40, required=False)
    prompt = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    children = forms.IntegerField(
        min_value=1, max_value=MOST_CHILDREN, required=False, initial=4, label="Pictures of each"
    )
    keep = forms.IntegerField(min_value=1, max_value=MOST_KEPT, required=False, initial=2, label="Of them go on")
    seed = forms.CharField(max_length=60, required=False, help_text="{{auto_seed}}, {{parent_seed}} or a number.")
    negative_prompt = forms.CharField(max_length=2000, required=False, label="Without")
    model = forms.CharField(max_length=100, required=False, help_text="Empty is the persona's own.")
    steps = forms.IntegerField(min_value=1, max_value=1000, required=False, label="Drawing steps")
    true_guidance = forms.FloatField(min_value=0, max_value=100, required=False, label="Guidance")
    width = forms.IntegerField(min_value=16, max_value=4096, required=False)
    height = forms.IntegerField(min_value=16, max_value=4096, required=False)
    loras = forms.BooleanField(required=False, initial=True, label="With the persona's LoRAs")
    looks = forms.BooleanField(required=False, label="Looks at the picture before")
    workflow = forms.CharField(
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        label="ComfyUI workflow",
        help_text="What Export (API) saves there. The step is then drawn by one of the space's ComfyUI servers, "
        "and of the above only the LoRAs count.",
    )
    workflow_file = forms.FileField(required=False, label="The same as a file")

    @property
    def first(self) -> list[forms.BoundField]:
        """What most people change."""
        return [self[name] for name in ("name", "prompt")]

    @property
    def counts(self) -> list[forms.BoundField]:
        return [self[name] for name in ("children", "keep")]

    @property
    def more(self) -> list[forms.BoundField]:
        """What is seldom changed."""
        return [self[name] for name in ("seed", "negative_prompt", "model", *_NUMBERS, "loras", "looks")]

    @property
    def elsewhere(self) -> list[forms.BoundField]:
        """For whoever keeps a ComfyUI."""
        return [self[name] for name in ("workflow", "workflow_file")]

    def clean_workflow_file(self) -> Graph | None:
        """A file goes before what stands in the field."""
        sent = self.cleaned_data["workflow_file"]
        return _graph(sent.read(MOST_BYTES + 1).decode("utf-8", "replace")) if sent else None

    def clean_workflow(self) -> Graph | None:
        text = self.cleaned_data["workflow"].strip()
        return _graph(text) if text else None

    def clean(self) -> dict[str, Any]:
        """What was typed into a step is not lost because its name is missing."""
        said = super().clean() or self.cleaned_data
        if not said.get("name") and any(said.get(each) for each in ("prompt", "workflow", "workflow_file")):
            self.add_error("name", "Give this step a name; to leave the step out, empty its prompt and workflow too.")
        return said

    def clean_model(self) -> str:
        name: str = self.cleaned_data["model"].strip()
        if name:
            try:
                Catalogue().find(name)
            except UserError as error:
                raise forms.ValidationError(str(error)) from error
        return name

    def step(self) -> StepIn | None:
        """What was said; what was left empty is as it is by default."""
        said = self.cleaned_data
        if not said.get("name"):
            return None
        counts: dict[str, Any] = {"children": said["children"] or 1, "keep": said["keep"] or 1}
        if graph := said["workflow_file"] or said["workflow"]:
            template = {"workflow": graph, "loras": said["loras"]}
            return StepIn(name=said["name"], engine=ENGINE, template=template, **counts)
        template = {name: said[name] for name in Local.model_fields if said.get(name) not in (None, "")}
        return StepIn(name=said["name"], template=template, **counts)


def _graph(text: str) -> Graph:
    try:
        return read(text)
    except UserError as error:
        raise forms.ValidationError(str(error)) from error


Steps: Any = forms.formset_factory(StepForm, extra=1, max_num=MOST_STEPS)


def filled(steps: list[StepIn]) -> list[dict[str, Any]]:
    """Steps as the forms begin with them."""
    return [_shown(step.asked) | step.model_dump(include={"name", "children", "keep"}) for step in steps]


def _shown(asked: Template) -> dict[str, Any]:
    said = asked.model_dump()
    return said | {"workflow": json.dumps(said["workflow"], indent=1)} if "workflow" in said else said


class Start(forms.Form):
    """For whom, and what the pipeline asks for."""

    persona = forms.ModelChoiceField(Persona.objects.none(), to_field_name="name", empty_label=None)
    run = forms.CharField(max_length=80, required=False, label="Name", help_text="Empty: the prompt.")

    def __init__(self, *args: Any, version: Version, wanted: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["persona"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Persona.objects.filter(space=version.pipeline.space)
        self._wanted = wanted
        for name in wanted:
            rows = 3 if name == PROMPT else 1
            label = "What to draw" if name == PROMPT else name.replace("_", " ").capitalize()
            self.fields[f"said_{name}"] = forms.CharField(
                max_length=2000, label=label, widget=forms.Textarea(attrs={"rows": rows})
            )

    def variables(self) -> dict[str, str]:
        """By their names."""
        return {name: self.cleaned_data[f"said_{name}"] for name in self._wanted}
