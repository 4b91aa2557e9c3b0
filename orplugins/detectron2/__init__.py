"""The public door for detectron2's scripts: `orplugins.detectron2.env`."""
