"""Lip styles: those of captured people, and designed ones, on the blendshapes of a head."""
