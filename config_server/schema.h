/* SPDX-License-Identifier: MIT */
/*
 * The schema of topology.db, version 1 (wire.md): for store_open.c alone. The columns of the views are the
 * JSON keys of the HTTP answers; load figures in them are up to 10 s old.
 */
#ifndef CONFIG_SERVER_SCHEMA_H
#define CONFIG_SERVER_SCHEMA_H

#define SCHEMA_APPLICATION_ID 0x63636861 /* "ccha" */
#define SCHEMA_VERSION	      1

/* milliseconds since 1970 in SQLite's own words */
#define SCHEMA_NOW "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"

static const char schema_tables[] =
    "CREATE TABLE meta (k TEXT PRIMARY KEY, v ANY) STRICT;"
    "CREATE TABLE server ("
    " name TEXT PRIMARY KEY,"
    " node_no INTEGER NOT NULL UNIQUE,"
    " role TEXT NOT NULL CHECK (role IN ('msg','proxy','config')),"
    " state TEXT NOT NULL"
    "  CHECK (state IN ('up','late','draining','down')),"
    " inc INTEGER NOT NULL,"
    " addr TEXT, link TEXT, admin TEXT, public TEXT, direct TEXT,"
    " version TEXT, weight INTEGER DEFAULT 1, cap INTEGER,"
    " since INTEGER, removed INTEGER, gate TEXT) STRICT;"
    "CREATE TABLE active (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " name TEXT, gen INTEGER, ep TEXT, since INTEGER) STRICT;"
    "CREATE TABLE job (id INTEGER PRIMARY KEY, kind TEXT, server TEXT,"
    " args TEXT, state TEXT, done INTEGER, total INTEGER,"
    " t0 INTEGER, t1 INTEGER) STRICT;"
    "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " t INTEGER NOT NULL, kind TEXT NOT NULL, srv TEXT, detail TEXT)"
    " STRICT;"
    "CREATE TABLE load (name TEXT PRIMARY KEY, t INTEGER, conns INTEGER,"
    " users INTEGER, rooms INTEGER, msgs_s REAL, out_kb_s REAL,"
    " loop_ms REAL, queue_kb INTEGER, lag INTEGER) STRICT;";

/* a column that files of older versions do not have */
static const char schema_gate[] = "ALTER TABLE server ADD COLUMN gate TEXT";

/* of a file made by another version they are made anew; tables are not */
static const char schema_views[] =
    "DROP VIEW IF EXISTS v_servers; DROP VIEW IF EXISTS v_load;"
    "DROP VIEW IF EXISTS v_next; DROP VIEW IF EXISTS v_jobs;"
    "DROP VIEW IF EXISTS v_problems;"
    "CREATE VIEW v_servers AS SELECT s.name AS id, s.role AS role,"
    " s.addr AS addr, s.public AS pub, s.version AS ver, s.state AS state,"
    " s.since AS since, " SCHEMA_NOW " - l.t AS beat_ms,"
    " l.conns AS conns, l.users AS users, l.rooms AS rooms, s.cap AS cap,"
    " round(1.0 * l.conns / max(s.weight, 1), 3) AS load,"
    " s.node_no AS node"
    " FROM server s LEFT JOIN load l USING (name)"
    " WHERE s.removed IS NULL ORDER BY s.node_no;"
    "CREATE VIEW v_load AS SELECT s.name AS id, l.conns AS conns,"
    " s.cap AS cap, l.msgs_s AS msgs_s, l.out_kb_s AS out_kB_s,"
    " l.loop_ms AS loop_ms, l.queue_kb AS queue_kB, l.lag AS lag, l.t AS t"
    " FROM server s JOIN load l USING (name)"
    " WHERE s.removed IS NULL ORDER BY s.node_no;"
    "CREATE VIEW v_next AS SELECT s.name AS id,"
    " coalesce(s.direct, s.public) AS url,"
    " 1.0 * coalesce(l.conns, 0) / max(s.weight, 1) AS load"
    " FROM server s LEFT JOIN load l USING (name)"
    " WHERE s.removed IS NULL AND s.role = 'msg' AND s.state = 'up'"
    " ORDER BY load, s.node_no;"
    "CREATE VIEW v_jobs AS SELECT id, kind, server, state,"
    " total - done AS left, done AS moved, total, args, t0, t1"
    " FROM job ORDER BY id;"
    "CREATE VIEW v_problems AS"
    " SELECT state AS kind, name AS srv, role || ' does not beat' AS detail"
    "  FROM server WHERE removed IS NULL AND state IN ('late','down')"
    " UNION ALL"
    " SELECT 'no_owner', coalesce((SELECT name FROM active), ''),"
    "  'the proxy_server last seen active is not up'"
    "  WHERE NOT EXISTS (SELECT 1 FROM active a JOIN server s"
    "   ON s.name = a.name WHERE s.state = 'up')"
    " UNION ALL"
    " SELECT 'no_msg_server', '', 'none is up' WHERE NOT EXISTS"
    "  (SELECT 1 FROM server WHERE role = 'msg' AND state = 'up')"
    " UNION ALL"
    " SELECT 'version_mix', name, 'runs ' || version FROM server"
    "  WHERE removed IS NULL AND state <> 'down' AND version <>"
    "   (SELECT version FROM server WHERE role = 'config'"
    "    ORDER BY state = 'up' DESC LIMIT 1);";

#endif
