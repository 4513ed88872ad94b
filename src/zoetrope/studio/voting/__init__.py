"""Choosing: screens of pictures, the votes on them, and the ratings that follow from all votes."""
