"""The local web app: the options of ``infer.py`` in a page of the browser, served on this machine alone."""
