"""From choices among pictures to an order with intervals: the fit, the next screen, and when to stop."""
