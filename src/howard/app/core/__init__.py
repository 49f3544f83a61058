"""The app without its user interface: projects, frame previews, brush strokes and renders."""
