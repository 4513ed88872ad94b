"""Pictures made by a ComfyUI server that somebody keeps: httpx and websockets, nothing of ours runs there."""
