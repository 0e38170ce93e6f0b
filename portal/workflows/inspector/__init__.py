"""What the inspector of a step shows beside its fields: sample values, what an expression gives with them, pinned samples."""
