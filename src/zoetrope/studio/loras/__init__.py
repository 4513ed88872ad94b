"""The library of LoRA models, how they get there, and which persona draws with which."""
