#!/bin/sh
# Runs once, as the owner, when the database is new: the role that web, worker and beat connect as.
# It owns nothing; `manage grant_app_role` says after each migration what it may do.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set password="$(cat /run/secrets/db_app_password)" <<'SQL'
CREATE ROLE registry_app LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO registry_app;
SQL
