"""Limits that come with the rules: those of the nation's laws, `cn.toml`."""
