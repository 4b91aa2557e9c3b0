"""Guards checkpoints from the moment a config names this module in `custom_imports`.

mmpose's inferencers open a checkpoint before they build the model, so a guard that the model sets comes too late there.
"""

from orplugins.hosts.mmpose.checkpoints import guard_checkpoints

guard_checkpoints()
