"""What changes the registry: one function a change. Reference data is set only where it differs."""
