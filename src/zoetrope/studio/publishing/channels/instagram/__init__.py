"""Instagram, by its Graph API with either login."""
