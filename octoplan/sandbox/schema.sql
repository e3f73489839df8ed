CREATE TABLE IF NOT EXISTS account (
    delivered INTEGER NOT NULL,
    ahead REAL NOT NULL,
    switches TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS balances (
    provider TEXT PRIMARY KEY,
    balance TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    ticket TEXT NOT NULL,
    provider TEXT NOT NULL,
    channel TEXT NOT NULL,
    campaign TEXT,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL DEFAULT '{}',
    encoding TEXT NOT NULL,
    parts INTEGER NOT NULL,
    all_parts INTEGER,
    request_id TEXT,
    send_at TEXT,
    at TEXT NOT NULL,
    cost TEXT NOT NULL,
    unit_cost TEXT NOT NULL,
    first INTEGER NOT NULL,
    contacts INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    cancelled TEXT,
    personal TEXT,
    held TEXT
);
CREATE INDEX IF NOT EXISTS messages_ticket ON messages (ticket);
CREATE INDEX IF NOT EXISTS messages_first ON messages (first);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    query TEXT NOT NULL DEFAULT '',
    login TEXT NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    answer TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS request_ids (
    request_id TEXT PRIMARY KEY,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cancels (
    login TEXT NOT NULL,
    month TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (login, month)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blacklist (
    address TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (kind, name, address)
);
CREATE TABLE IF NOT EXISTS drafts (
    ticket TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    by TEXT NOT NULL,
    list_name TEXT,
    tag_name TEXT,
    combines TEXT NOT NULL,
    removes INTEGER NOT NULL,
    content TEXT NOT NULL,
    ready_at REAL NOT NULL,
    stage TEXT NOT NULL,
    sending_date TEXT,
    found INTEGER NOT NULL,
    contacts TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS campaigns (
    ticket TEXT PRIMARY KEY,
    name TEXT COLLATE NOCASE,
    login TEXT NOT NULL,
    created REAL NOT NULL,
    answer TEXT NOT NULL,
    groups TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS campaigns_name ON campaigns (name);
CREATE INDEX IF NOT EXISTS drafts_computing ON drafts (ready_at) WHERE contacts IS NULL
