"""The public entry point for detectron2's scripts: `orplugins.detectron2.env`."""
