"""The page kit of the admin console. Rooms declare their pages in `<app>/console.py`; nothing here knows a rule."""
