"""The run engine: plan, send, confirm, settle."""
