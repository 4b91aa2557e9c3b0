"""Fine-tuning on a user's own labels: labels, job, report. What a method adds is a `method.Method` of its room."""
