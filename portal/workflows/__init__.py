"""Workflows: their definition, versions, runs and the engine that carries runs out."""
