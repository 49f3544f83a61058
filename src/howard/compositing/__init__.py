"""Processing of a matte after the network, on its device: soft edges are solved, adjusted and packed as RGBA."""
