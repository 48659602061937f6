"""What changes publish: one function a change, in the transaction of the event or the request that caused it."""
