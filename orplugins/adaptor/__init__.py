"""AdaptOR: boxes, joints and masks of people in operating rooms, learned there without labels."""
