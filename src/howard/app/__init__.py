"""The local web app: the options of ``infer.py`` in a browser page, served on the loopback interface only."""
