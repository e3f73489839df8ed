"""Fault schedules: octoplan driven into every kind of trouble at random, and judged by what was delivered."""
