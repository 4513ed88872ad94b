"""Captions by a vision-language model in a folder on this machine, by classes known here and without its code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.models.folders import read_json
from zoetrope.models.headers import read_header
from zoetrope.models.loading import quiet
from zoetrope.models.memory import MemoryPlan, WeightSizes, detect, plan_for

if TYPE_CHECKING:
    from PIL.Image import Image

KNOWN = {
    "idefics3": ("Idefics3ForConditionalGeneration", "Idefics3Processor"),
    "llava": ("LlavaForConditionalGeneration", "LlavaProcessor"),
    "qwen2_5_vl": ("Qwen2_5_VLForConditionalGeneration", "Qwen2_5_VLProcessor"),
    "qwen2_vl": ("Qwen2VLForConditionalGeneration", "Qwen2VLProcessor"),
}
"""Each `model_type` with its classes: models that follow an instruction, and were seen to run without torchvision."""

SIDE = 1024
_NEW_TOKENS = 160
_LOCAL = {"local_files_only": True, "trust_remote_code": False}


class FolderCaptioner:
    """Loads once, then looks at one picture at a time; the same picture gets the same words."""

    def __init__(self, folder: Path) -> None:
        kind = _kind(folder)
        plan = _plan(folder)
        self.name = f"model {folder.resolve().name}"
        self._folder = folder
        self._processor = _loaded(folder, processor_class(kind))
        if not getattr(self._processor, "chat_template", None):
            raise UserError(f"{folder} has no chat template, so its model cannot be told what to say.")
        self._model = _loaded(folder, _class(KNOWN[kind][0]), use_safetensors=True, dtype=_dtype(plan))
        self._model = self._model.to(plan.device).eval()

    def describe(self, picture: "Image", instruction: str) -> str:
        """The likeliest words, one after the other."""
        import torch
        from PIL import Image

        small = picture.convert("RGB")
        small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        content = [{"type": "image", "image": small}, {"type": "text", "text": instruction}]
        try:
            with torch.inference_mode(), quiet():
                asked = self._processor.apply_chat_template(
                    [{"role": "user", "content": content}],
                    add_generation_prompt=True,
                    tokenize=True,
                    return_dict=True,
                    return_tensors="pt",
                ).to(self._model.device, self._model.dtype)
                found = self._model.generate(**asked, max_new_tokens=_NEW_TOKENS, do_sample=False)
        except torch.OutOfMemoryError as error:
            raise UserError(f"{self._folder} does not fit the device's memory beside this picture.") from error
        words: str = self._processor.tokenizer.decode(found[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)
        return words


def _kind(folder: Path) -> str:
    """The model's type, once the folder is found to hold a known one and no pickles in place of weights."""
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} holds no config.json, so it is not a transformers model folder.")
    kind = str(read_json(folder / "config.json").get("model_type"))
    if kind not in KNOWN:
        raise UserError(f"{folder} is a {kind} model; {', '.join(KNOWN)} are known here.")
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"{folder} holds no safetensors weights, and no other format is opened.")
    return kind


def _plan(folder: Path) -> MemoryPlan:
    """Whole on the device, or a sentence."""
    count = sum(read_header(file).parameters for file in folder.glob("*.safetensors"))
    plan = plan_for(WeightSizes.of({"model": count}), detect())
    if plan.offload != "none" or plan.quantize != "none":
        raise UserError(f"{folder} does not fit the {plan.device} device's memory; take a smaller model, or a server.")
    return plan


def _dtype(plan: MemoryPlan) -> Any:
    import torch

    return getattr(torch, plan.dtype)


def _class(name: str) -> Any:
    import transformers

    return getattr(transformers, name)


def processor_class(kind: str) -> Any:
    """A processor for stills: Qwen's would also ask for one for clips, which needs torchvision."""
    whole = _class(KNOWN[kind][1])
    if not kind.startswith("qwen2"):
        return whole

    class Still(whole):  # type: ignore[misc, valid-type]
        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **_: Any
        ) -> None:
            self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
            self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
            self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
            _class("ProcessorMixin").__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return Still


def _loaded(folder: Path, wanted: Any, **options: Any) -> Any:
    try:
        with quiet():
            return wanted.from_pretrained(str(folder), **_LOCAL, **options)
    except Exception as error:
        # A damaged folder can fail anywhere in the library; whatever it raised, the folder is what to look at.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{folder} cannot be loaded: {reason}.") from error
