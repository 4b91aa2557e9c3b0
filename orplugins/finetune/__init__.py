"""Fine-tuning on a user's own labels: labels, the job, its report. What a method adds is a `method.Method` of its room."""
