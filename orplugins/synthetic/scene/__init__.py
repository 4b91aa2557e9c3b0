"""The generated scene: room, people, clothes, motion, cameras."""
