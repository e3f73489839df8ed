-- The ledger: who was reserved, claimed, sent, and what became of it.
--
-- One text for every backend. SQLite takes it as it is; PostgreSQL with BLOB → BYTEA, INTEGER → BIGINT,
-- `events.id` as an identity column and the triggers' bodies as a function that raises.
--
-- Times are UTC text of one width, so that they compare as text; money is exact decimal text. A person is
-- known by a contact key only: a keyed hash of 16 bytes. No address, text or contact value is ever stored.

CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    key_check TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    newest_at TEXT NOT NULL
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    plan_id TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process_started TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE INDEX runs_open ON runs (plan_id) WHERE ended_at IS NULL;

CREATE TABLE plans (
    plan_id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    everything INTEGER NOT NULL,
    recorded_at TEXT NOT NULL
);
CREATE INDEX plans_newest ON plans (created_at, plan_id);

CREATE TABLE plan_campaigns (
    plan_id TEXT NOT NULL REFERENCES plans (plan_id),
    campaign TEXT NOT NULL,
    edition INTEGER NOT NULL,
    apply_from TEXT NOT NULL,
    apply_until TEXT NOT NULL,
    worst TEXT NOT NULL,
    currency TEXT NOT NULL,
    spec TEXT NOT NULL,
    PRIMARY KEY (plan_id, campaign, edition)
);

-- `version` rises with every reserve; `closed` with the first claim, whose plan (the newest) is `claimed_plan`.
CREATE TABLE editions (
    campaign TEXT NOT NULL,
    edition INTEGER NOT NULL,
    version INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    claimed_plan TEXT,
    PRIMARY KEY (campaign, edition)
);

-- `version` is the edition's when the batch was reserved; `run` and `attempt` are those of its newest claim.
-- `held`: the provider holds the audience. Its one key stands for all of it; `contacts` and `worst` are what was
-- approved, and from the claim on what the provider counts.
CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    campaign TEXT NOT NULL,
    edition INTEGER NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    plan_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('reserved', 'claimed', 'accepted', 'not_sent', 'in_doubt', 'released', 'cancelled')
    ),
    reason TEXT NOT NULL,
    rejected INTEGER NOT NULL,
    contacts INTEGER NOT NULL CHECK (contacts > 0),
    parts INTEGER NOT NULL,
    worst TEXT NOT NULL,
    charged TEXT,
    currency TEXT NOT NULL,
    generation INTEGER NOT NULL,
    held INTEGER NOT NULL,
    run TEXT REFERENCES runs (id),
    attempt TEXT,
    reserved_at TEXT NOT NULL,
    claimed_at TEXT,
    settled_at TEXT,
    UNIQUE (campaign, edition, number),
    FOREIGN KEY (campaign, edition) REFERENCES editions (campaign, edition),
    FOREIGN KEY (plan_id, campaign, edition) REFERENCES plan_campaigns (plan_id, campaign, edition)
);
CREATE INDEX batches_plan ON batches (plan_id);
CREATE INDEX batches_unsettled ON batches (state) WHERE state IN ('claimed', 'in_doubt');
CREATE INDEX batches_claimed ON batches (claimed_at);

-- Apart from `batches`, so that a change of state does not rewrite 8 kB of keys.
CREATE TABLE batch_keys (
    batch TEXT PRIMARY KEY REFERENCES batches (id),
    keys BLOB NOT NULL CHECK (length(keys) > 0 AND length(keys) % 16 = 0)
);

-- `silent_at`: from then on this attempt can write no further byte to the provider.
CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    batch TEXT NOT NULL REFERENCES batches (id),
    run TEXT NOT NULL REFERENCES runs (id),
    request_id TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    generation INTEGER NOT NULL,
    claimed_at TEXT NOT NULL,
    deadline TEXT NOT NULL,
    silent_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'not_sent', 'in_doubt', 'decided')),
    reason TEXT NOT NULL,
    ticket TEXT,
    contacts INTEGER,
    parts INTEGER,
    cost TEXT,
    credit TEXT,
    details TEXT NOT NULL,
    settled_at TEXT
);
CREATE INDEX attempts_batch ON attempts (batch);

-- What was asked of a provider to prepare a reserved batch, before it left: by itself it contacts nobody.
-- `open`: its ticket is not known; `ready`: it may be confirmed; `gone`: given up, or cancelled there.
CREATE TABLE drafts (
    id TEXT PRIMARY KEY,
    batch TEXT NOT NULL REFERENCES batches (id),
    run TEXT NOT NULL REFERENCES runs (id),
    request_id TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    generation INTEGER NOT NULL,
    asked_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'ready', 'gone')),
    reason TEXT NOT NULL,
    ticket TEXT
);
CREATE INDEX drafts_batch ON drafts (batch);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    what TEXT NOT NULL,
    run TEXT,
    batch TEXT,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    details TEXT NOT NULL
);

CREATE INDEX events_accepted ON events (id) WHERE what = 'serial-accepted';

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER keys_are_not_deleted BEFORE DELETE ON batch_keys BEGIN
    SELECT RAISE(ABORT, 'contact keys are never deleted');
END;
