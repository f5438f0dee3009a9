"""The run: sample, grade, learn, evaluate, until the plan is done."""
