"""How an organisation's portal looks: themes, their published versions, their pictures, and the editor."""
