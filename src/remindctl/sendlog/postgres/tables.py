"""The tables of the send log in PostgreSQL, as numbered changes like those of a SQLite file.

They say the same as those in ``sendlog.tables``, in PostgreSQL's own types, and stand in a schema
of their own, so that the database may hold other things.
"""

from __future__ import annotations

from remindctl.sendlog.database import Step

SCHEMA = "remindctl"

META = "CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL)"

_TABLES = """
CREATE SEQUENCE claim_numbers;
CREATE TABLE claims (
  id bigint PRIMARY KEY,
  key bytea NOT NULL, person bytea NOT NULL, leg smallint NOT NULL, entry bytea NOT NULL,
  store text NOT NULL, campaign text NOT NULL, step text NOT NULL,
  variant text, arm text, store_arm text, channel text, provider text, ground text,
  tags text[] NOT NULL, counts boolean NOT NULL, ending text NOT NULL,
  due_at timestamptz NOT NULL, cost numeric, currency text,
  state text NOT NULL, run text NOT NULL, attempts integer NOT NULL,
  first_attempt_at timestamptz NOT NULL, attempted_at timestamptz NOT NULL,
  settled_at timestamptz, provider_id text, code text, detail text,
  coupon_pool text, coupon bytea, coupon_until date, template text, text_hash bytea
);
CREATE INDEX open_claims ON claims (store) WHERE state = 'claimed';
CREATE INDEX claims_with_coupon ON claims (store) WHERE coupon IS NOT NULL;
CREATE INDEX claims_by_template ON claims (store, template) WHERE text_hash IS NOT NULL;
CREATE TABLE identifiers (
  hmac bytea NOT NULL, key bytea NOT NULL, leg smallint NOT NULL, claim bigint NOT NULL,
  PRIMARY KEY (hmac, key, leg)
);
CREATE TABLE coupons (
  store text NOT NULL, pool text NOT NULL, coupon bytea NOT NULL, claim bigint NOT NULL,
  PRIMARY KEY (store, pool, coupon)
);
CREATE TABLE holders (
  claim bigint NOT NULL, hmac bytea NOT NULL,
  PRIMARY KEY (claim, hmac)
)
"""

_UPKEEP = """
ALTER TABLE claims ADD COLUMN destination bytea;
CREATE INDEX unknown_claims ON claims (store) WHERE state = 'unknown';
CREATE INDEX sent_claims ON claims (store, attempted_at) WHERE state = 'sent';
CREATE TABLE journal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL,
  action text NOT NULL, store text, reason text NOT NULL, entries bigint NOT NULL
)
"""
_AS_IF_WITH_UPKEEP = """
CREATE TEMP TABLE journal (
  id bigint, at timestamptz, action text, store text, reason text, entries bigint
)
"""

STEPS = (Step(_TABLES), Step(_UPKEEP, _AS_IF_WITH_UPKEEP))
