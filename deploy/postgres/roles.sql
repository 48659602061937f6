-- Database `sanwu` with a schema and a login role per service, none of which reaches another's.
--
-- Run by psql as the superuser at every start; idempotent. Passwords come by the environment
-- (SANWU_<ROLE>_PASSWORD), so that they stand in no file and in no process list.

\set ON_ERROR_STOP on
\getenv registry_password SANWU_REGISTRY_PASSWORD
\getenv ingest_password SANWU_INGEST_PASSWORD
\getenv publish_password SANWU_PUBLISH_PASSWORD
\getenv audit_password SANWU_AUDIT_PASSWORD
\getenv qr_password SANWU_QR_PASSWORD

SELECT 'CREATE DATABASE sanwu' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'sanwu')
\gexec

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['registry', 'ingest', 'publish', 'audit', 'qr']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE registry LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'registry_password';
ALTER ROLE ingest LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'ingest_password';
ALTER ROLE publish LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'publish_password';
ALTER ROLE audit LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'audit_password';
ALTER ROLE qr LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'qr_password';

-- Of the whole server, not of one database: copies made from the template keep it.
ALTER ROLE registry SET search_path = registry, registry_trail;
ALTER ROLE ingest SET search_path = ingest, ingest_trail;
-- The read model has a schema of its own: a rebuild replaces it whole.
ALTER ROLE publish SET search_path = publish, publish_read, publish_trail;
ALTER ROLE audit SET search_path = audit, audit_trail;
ALTER ROLE qr SET search_path = qr, qr_trail;

REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
REVOKE ALL ON DATABASE sanwu FROM PUBLIC;
-- TEMPORARY: bulk loads go through a temporary table.
GRANT CONNECT, TEMPORARY ON DATABASE sanwu TO registry, ingest, publish, audit, qr;
-- publish rebuilds its read model into a new schema of its own and changes two names.
GRANT CREATE ON DATABASE sanwu TO publish;

\connect sanwu
SET client_min_messages = warning;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS registry AUTHORIZATION registry;
CREATE SCHEMA IF NOT EXISTS ingest AUTHORIZATION ingest;
CREATE SCHEMA IF NOT EXISTS publish AUTHORIZATION publish;
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION audit;
CREATE SCHEMA IF NOT EXISTS qr AUTHORIZATION qr;

\ir trail.sql
