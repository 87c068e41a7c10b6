"""The published network: layouts, lip reader and conversion of its weights."""
