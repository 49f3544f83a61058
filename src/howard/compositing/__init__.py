"""What happens to a matte after the network: soft edges are solved, adjusted, and packed as RGBA, on the device."""
