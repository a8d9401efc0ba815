"""Who may: people, their roles in projects, tokens, sessions and invitations."""
