"""Sign-in factors: authenticator apps, passkeys and recovery codes of a person, and who must have one."""
