"""Backbones trained on ImageNet, as either host uses them."""
