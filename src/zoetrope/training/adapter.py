"""The LoRA while it learns: peft's layers on the frozen network, and the average of their weights."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zoetrope.models.learner import Learner
from zoetrope.models.loras import check_fits, open_lora, read_state

if TYPE_CHECKING:
    from zoetrope.training.settings import Settings

NAME = "learned"
ASSISTANT = "assistant"


class Adapter:
    """Trainable weights by their name in the network, without peft's decorations."""

    def __init__(self, learner: Learner, settings: "Settings", assistant: Path | None = None) -> None:
        import torch
        from peft import LoraConfig

        network: Any = learner.network()
        self.network = network
        self.network.requires_grad_(False)
        config = LoraConfig(
            r=settings.rank,
            # Any number will do, though peft's own type says otherwise.
            lora_alpha=cast(int, settings.scale * settings.rank),
            target_modules=learner.targets(),
            init_lora_weights="gaussian",
        )
        if assistant is not None:
            self._load_assistant(learner, assistant)
        # The halves that do not start at zero follow from the seed.
        torch.manual_seed(settings.seed)
        with warnings.catch_warnings():
            # peft warns of a second adapter on one model, which an assistant's company is.
            warnings.simplefilter("ignore")
            self.network.add_adapter(config, adapter_name=NAME)
        self.weights: dict[str, torch.nn.Parameter] = {
            name.replace(f".{NAME}.", "."): weight
            for name, weight in self.network.named_parameters()
            if f".{NAME}." in name
        }
        self._assisted = assistant is not None
        self._activate(with_assistant=self._assisted)
        self.network.requires_grad_(False)
        for weight in self.weights.values():
            weight.data = weight.data.float()
            weight.requires_grad_(True)
        self.average = {name: weight.detach().clone() for name, weight in self.weights.items()}

    def follow(self, keep: float) -> None:
        """Move the average a little towards the weights."""
        import torch

        with torch.no_grad():
            targets = list(self.average.values())
            torch._foreach_lerp_(targets, [weight.detach() for weight in self.weights.values()], 1.0 - keep)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it the network draws with the average, and without the assistant."""
        self._activate(with_assistant=False)
        live = {name: weight.data for name, weight in self.weights.items()}
        for name, weight in self.weights.items():
            weight.data = self.average[name]
        try:
            yield
        finally:
            for name, weight in self.weights.items():
                weight.data = live[name]
            self._activate(with_assistant=self._assisted)

    def _load_assistant(self, learner: Learner, file: Path) -> None:
        """A frozen LoRA that undoes a distillation while the new one learns, and is left out when it draws."""
        lora = open_lora(file)
        check_fits(lora, learner.family, learner.folder, str(learner.folder))
        state = read_state(lora, learner.family, learner.folder)
        only = {name: tensor for name, tensor in state.items() if name.startswith("transformer.")}
        self.network.load_lora_adapter(only, prefix="transformer", adapter_name=ASSISTANT)

    def _activate(self, *, with_assistant: bool) -> None:
        self.network.set_adapters([ASSISTANT, NAME] if with_assistant else [NAME])
