"""Light, colour, sharpness, framing, masks, goods and text in the picture."""
