"""Run by Alembic: takes the connection that `schema.upgrade` holds, and what the tables should be."""

from alembic import context

from adapters.outbound.sql.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=False)
context.run_migrations()
