"""What changes a disclosure, a waiver, a quarter's page: one function a step, called from API, desk and jobs alike.

Each takes the row's lock first, then checks role, scope, version and state, then writes state and event together.
"""
