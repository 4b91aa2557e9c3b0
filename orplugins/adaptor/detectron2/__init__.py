"""AdaptOR in detectron2. Importing a module registers its classes."""

# The host first: at the end of its import it imports our components, in their order. A module of ours that is imported
# by itself would otherwise be half imported by then, and a component that needs it would fail.
import detectron2  # noqa: F401
