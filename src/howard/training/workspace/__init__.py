"""The W&B workspace in which training runs are compared: what it shows, and the command that makes it."""
