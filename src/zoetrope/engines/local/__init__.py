"""Pictures made on this machine by diffusers."""
