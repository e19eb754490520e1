"""Locust's users, each module a process of its own (`python -m load.users.NAME`).

Locust patches the standard library and must come before all else: nobody imports these modules.
"""
