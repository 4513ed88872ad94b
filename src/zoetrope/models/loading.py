"""From a checked folder and a plan to a pipeline on its device."""

import ctypes
import gc
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.models.memory import MemoryPlan, Quantize

if TYPE_CHECKING:
    from zoetrope.models.family import Family, Pipeline


@contextmanager
def quiet() -> Iterator[None]:
    """diffusers and transformers keep their bars and remarks to themselves, and get their settings back."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    logs: list[Any] = [diffusers_logging, transformers_logging]
    before = [(log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    try:
        for log in logs:
            log.set_verbosity_error()
            log.disable_progress_bar()
        yield
    finally:
        for log, (verbosity, bars) in zip(logs, before, strict=True):
            log.set_verbosity(verbosity)
            if bars:
                log.enable_progress_bar()


@contextmanager
def loading(folder: Path, device: str) -> Iterator[None]:
    """Quietly; and whatever goes wrong is one sentence about the folder."""
    import torch

    try:
        with quiet():
            yield
    except torch.OutOfMemoryError as error:
        raise UserError(f"{folder} does not fit the {device} device's memory.") from error
    except Exception as error:
        # A damaged folder can fail in any library below; whatever it raised, the folder is what to look at.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{folder} cannot be loaded: {reason}.") from error


def load_pipeline(family: "Family", folder: Path, plan: MemoryPlan, leave_out: Collection[str] = ()) -> "Pipeline":
    """Load from this folder alone: no network, no pickles, no code out of the folder.

    Parts that are left out cost neither time nor memory; the pipeline then has None in their place.
    """
    import diffusers
    import torch

    if plan.device == "cuda":
        # Without it, matrix products on CUDA may add up in another order each time.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    options: dict[str, Any] = {"dtype": getattr(torch, plan.dtype), **dict.fromkeys(leave_out)}
    heavy = tuple(part for part in family.heavy if part not in leave_out)
    if plan.quantize != "none" and heavy:
        options["quantization_config"] = _quantization(plan.quantize, heavy)
    with loading(folder, plan.device):
        pipeline = getattr(diffusers, family.pipeline_class).from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False, **options
        )
    pipeline.set_progress_bar_config(disable=True)
    _place(pipeline, plan)
    return pipeline


def _place(pipeline: "Pipeline", plan: MemoryPlan) -> None:
    if plan.offload == "model":
        pipeline.enable_model_cpu_offload()
    elif plan.offload == "sequential":
        pipeline.enable_sequential_cpu_offload()
    else:
        pipeline.to(plan.device)
        if plan.device == "cpu":
            _own(pipeline)
    if plan.vae_tiling and pipeline.vae is not None:
        pipeline.vae.enable_tiling()


def _own(pipeline: "Pipeline") -> None:
    """Copy weights that are still mapped from their files: a file replaced later must not reach a warm model."""
    import torch

    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            for tensor in (*part.parameters(), *part.buffers()):
                tensor.data = tensor.data.clone()


def _quantization(quantize: Quantize, parts: tuple[str, ...]) -> Any:
    import torch
    from diffusers import PipelineQuantizationConfig

    if quantize == "fp8":
        return PipelineQuantizationConfig(quant_mapping=_fp8_mapping(parts))
    if quantize == "int8":
        return PipelineQuantizationConfig(
            quant_backend="bitsandbytes_8bit",
            quant_kwargs={"load_in_8bit": True},
            components_to_quantize=list(parts),
        )
    kwargs = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": torch.bfloat16}
    return PipelineQuantizationConfig(
        quant_backend="bitsandbytes_4bit", quant_kwargs=kwargs, components_to_quantize=list(parts)
    )


def _fp8_mapping(parts: tuple[str, ...]) -> dict[str, Any]:
    import diffusers
    import transformers
    from torchao.quantization import Float8WeightOnlyConfig

    # The two libraries each read a class of their own, alike in all but its home.
    homes: dict[bool, Any] = {True: transformers, False: diffusers}
    return {part: homes[part.startswith("text_")].TorchAoConfig(Float8WeightOnlyConfig()) for part in parts}


def release_memory() -> None:
    """Give back what dropped pipelines held."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    _trim()


def _trim() -> None:
    """glibc keeps what was freed: after a training as much as half the network's size, until it is asked."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
