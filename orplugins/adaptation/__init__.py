"""What adapting a network to a user's own recordings needs, whatever the network: agreement, criterion, report."""
