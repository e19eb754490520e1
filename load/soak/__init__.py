"""The soak: many reports from many senders through faults and power cuts, and what must be left.

What is sent, in which order, what fails and when the Source is killed is planned from a seed
(`plan`); what the DMP must hold in the end follows from the plan alone (`expected`).
"""
