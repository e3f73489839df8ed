"""Terraform for messages that cannot be unsent."""

__version__ = "0.1.0"
