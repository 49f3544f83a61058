"""The user interface of the app: a NiceGUI page on top of `howard.app.core`."""
