"""Business calendars: which days and hours are worked, and moments reckoned in them."""
