"""LoRA against LoRA, version against version: the same prompts from the same seeds, chosen between without names."""
