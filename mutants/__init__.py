"""Wrong boxes, each one defect on the reference DRIMbox: the proof that the bench can fail a box."""
