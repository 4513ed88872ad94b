"""ComfyUI servers that a space draws with: which there are, whether they are well, and which draws what."""
