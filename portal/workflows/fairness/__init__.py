"""What each tenant got of each lane, what it waited for that, and the bound that holds for it; weights and limits, set by staff."""
