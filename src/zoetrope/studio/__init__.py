"""The studio: the Django site where personas are used every day. One app a concern; see docs/studio.md."""
