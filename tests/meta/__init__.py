"""Tests about the repository itself: layers, sizes, names, documents."""
