"""LoRA training for any model family: dataset, cache, loop, export."""
