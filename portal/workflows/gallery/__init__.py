"""The gallery: templates of the house and of the own organisation, looked at before they are used, saved from workflows."""
