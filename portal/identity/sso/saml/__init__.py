"""SAML 2.0 as a service provider: the provider's metadata and ours, requests, and the judgement of what comes back."""
