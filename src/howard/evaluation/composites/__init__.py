"""Composites of people and places that were never trained on."""
