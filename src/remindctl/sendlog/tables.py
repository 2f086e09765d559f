"""The tables of the send log, as numbered changes: a new file gets all, an older one the rest."""

from __future__ import annotations

from remindctl.sendlog.database import Step

KIND = 0x72656D6C  # "reml"

# The order of the identifiers' key makes one index serve both: no two claims of a key and leg may
# share an identifier (the person's own hash is one of them), and each finds all of its past.
_CLAIMS = """
CREATE TABLE claims (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL, person BLOB NOT NULL, leg INTEGER NOT NULL, entry BLOB NOT NULL,
  store TEXT NOT NULL, campaign TEXT NOT NULL, step TEXT NOT NULL,
  variant TEXT, arm TEXT, store_arm TEXT, channel TEXT, provider TEXT, ground TEXT,
  tags TEXT NOT NULL, counts INTEGER NOT NULL, ending TEXT NOT NULL,
  due_at INTEGER NOT NULL, cost TEXT, currency TEXT,
  state TEXT NOT NULL, run TEXT NOT NULL, attempts INTEGER NOT NULL,
  first_attempt_at INTEGER NOT NULL, attempted_at INTEGER NOT NULL, settled_at INTEGER,
  provider_id TEXT, code TEXT, detail TEXT
);
CREATE INDEX open_claims ON claims (store) WHERE state = 'claimed';
CREATE TABLE identifiers (
  hmac BLOB NOT NULL, key BLOB NOT NULL, leg INTEGER NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY (hmac, key, leg)
) WITHOUT ROWID
"""

# A code of a pool has one holder: the latest claim with it, of the key and person that got it
# first. `holders` finds that person again from the claim, which the identifiers' key cannot.
_COUPONS = """
ALTER TABLE claims ADD COLUMN coupon_pool TEXT;
ALTER TABLE claims ADD COLUMN coupon BLOB;
ALTER TABLE claims ADD COLUMN coupon_until TEXT;
ALTER TABLE claims ADD COLUMN template TEXT;
ALTER TABLE claims ADD COLUMN text_hash BLOB;
CREATE INDEX claims_with_coupon ON claims (store) WHERE coupon IS NOT NULL;
CREATE INDEX claims_by_template ON claims (store, template) WHERE text_hash IS NOT NULL;
CREATE TABLE coupons (
  store TEXT NOT NULL, pool TEXT NOT NULL, coupon BLOB NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY (store, pool, coupon)
) WITHOUT ROWID;
CREATE TABLE holders (
  claim INTEGER NOT NULL, hmac BLOB NOT NULL,
  PRIMARY KEY (claim, hmac)
) WITHOUT ROWID
"""
_AS_IF_WITH_COUPONS = """
CREATE TEMP VIEW claims AS
  SELECT *, NULL AS coupon_pool, NULL AS coupon, NULL AS coupon_until, NULL AS template,
    NULL AS text_hash
  FROM main.claims;
CREATE TEMP TABLE coupons (store TEXT, pool TEXT, coupon BLOB, claim INTEGER);
CREATE TEMP TABLE holders (claim INTEGER, hmac BLOB)
"""

# What is open is found without reading the rest. The journal tells of what was done with the log as
# a whole: exports, erasures; it names no one.
_UPKEEP = """
ALTER TABLE claims ADD COLUMN destination BLOB;
CREATE INDEX unknown_claims ON claims (store) WHERE state = 'unknown';
CREATE INDEX sent_claims ON claims (store, attempted_at) WHERE state = 'sent';
CREATE TABLE journal (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, action TEXT NOT NULL, store TEXT,
  reason TEXT NOT NULL, entries INTEGER NOT NULL
)
"""
_AS_IF_WITH_UPKEEP = """
CREATE TEMP TABLE journal (
  id INTEGER, at INTEGER, action TEXT, store TEXT, reason TEXT, entries INTEGER
)
"""

# What matters of the past of many people is found from what was sent, not person by person. Nothing
# begins with the store where a query of few open claims could take it for a better way to them.
_PAST = """
CREATE INDEX claims_by_campaign ON claims (campaign, store, attempted_at);
CREATE INDEX drawn_claims ON claims (store) WHERE store_arm IS NOT NULL
"""

STEPS = (
    Step(_CLAIMS),
    Step(_COUPONS, _AS_IF_WITH_COUPONS),
    Step(_UPKEEP, _AS_IF_WITH_UPKEEP),
    Step(_PAST),
)
