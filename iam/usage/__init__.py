"""How much the product is used: milestones of instances, and the usage report that an operator may have sent."""
