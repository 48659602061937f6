"""A city on one machine (`local`), its operators' command (`cli`), its generated documents (`docs`); set-up of Caddy and PostgreSQL."""
