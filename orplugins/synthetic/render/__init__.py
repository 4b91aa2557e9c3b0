"""Images, depth images and labels of a generated scene."""
