"""The phases before serving: database, migrations, first instance."""
