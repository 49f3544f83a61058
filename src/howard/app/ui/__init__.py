"""The page of the app: a NiceGUI interface to `howard.app.core`."""
