"""Many professionals at once, each with a patient of their own: nothing of one reaches another.

`python -m load.crowd`. Every byte that a browser receives is searched for what belongs to others;
every request that the DMP and the Source receive is checked to speak for its own patient.
"""
