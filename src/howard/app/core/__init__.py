"""What the app does, without its user interface: projects, previews, strokes and renders."""
