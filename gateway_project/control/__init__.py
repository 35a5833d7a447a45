"""The management API: REST for what admins and finance do, for scripts. One file per noun."""
