"""What happens to a frame after the network: its shadow pass, and the finishing of alpha and foreground."""
