"""Generated frames as files in the layouts of MVOR, ITOP and Human3.6M, or in memory."""
