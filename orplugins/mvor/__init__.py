"""MVOR (Srivastav et al., 2018): the data set's files and its evaluation protocols."""
