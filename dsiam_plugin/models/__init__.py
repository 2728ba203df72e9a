"""Networks: backbones, weights, what computes the convolutions, and on which device."""
