"""Wrong boxes, one defect each on the reference DRIMbox: the proof that the bench can fail a box."""
