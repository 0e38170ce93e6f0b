"""What every package stands on: settings, database, tenancy, access, rendering. Knows no domain word."""
