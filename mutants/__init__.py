"""Wrong boxes, one defect each on the reference DRIMbox: proof that the bench can fail a box."""
