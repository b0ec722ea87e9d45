-- The version of the rules of each tenant. Locked by each change, so that versions follow one another without a gap.
CREATE TABLE rule_set_heads (
  tenant_id uuid PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
  changed_at timestamptz NOT NULL DEFAULT now()
);
CALL tenant_table('rule_set_heads', 'SELECT, INSERT, UPDATE');

-- Every rule as it was in every version: a set at version V holds what has
-- from_version <= V and (until_version IS NULL or until_version > V).
CREATE TABLE rule_revisions (
  tenant_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('rule', 'software', 'access')),
  -- Of a rule or an entry its id; of an access policy the id of the resource, or 'default'.
  object_id text COLLATE "C" NOT NULL,
  from_version bigint NOT NULL CHECK (from_version > 0),
  until_version bigint CHECK (until_version > from_version),
  -- What the evaluator takes: a rule, an entry of known software, an access policy as a rule.
  body jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object' AND octet_length(body::text) < 262144),
  -- {id: name} of authors and co-signers as they were called then.
  people jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(people) = 'object'),
  row_version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  name text NOT NULL GENERATED ALWAYS AS (coalesce(body ->> 'name', '')) STORED,
  site_id text GENERATED ALWAYS AS (body ->> 'siteId') STORED,
  enabled boolean NOT NULL GENERATED ALWAYS AS (coalesce((body ->> 'enabled')::boolean, true)) STORED,
  -- The order in which rules are asked: by priority, and among equals the one that gives less goes first.
  asked bigint NOT NULL GENERATED ALWAYS AS (
    coalesce((body ->> 'priority')::bigint, 100) * 4 + CASE body ->> 'verdict'
      WHEN 'auto_deny' THEN 0 WHEN 'require_approval' THEN 1 WHEN 'ignore' THEN 2 ELSE 3 END) STORED,
  PRIMARY KEY (tenant_id, kind, object_id, from_version)
);
CREATE UNIQUE INDEX rule_revisions_in_force ON rule_revisions (tenant_id, kind, object_id) WHERE until_version IS NULL;
CREATE INDEX rule_revisions_asked ON rule_revisions (tenant_id, kind, asked, object_id) WHERE until_version IS NULL;
CREATE INDEX rule_revisions_until ON rule_revisions (tenant_id, kind, until_version);
CALL tenant_table('rule_revisions', 'SELECT, INSERT, UPDATE');

-- A revision is written once; it only ends. Otherwise nobody could say what decided.
CREATE FUNCTION guard_rule_revision() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.until_version IS NOT NULL OR NEW.until_version IS NULL
    OR (NEW.tenant_id, NEW.kind, NEW.object_id, NEW.from_version, NEW.body, NEW.people, NEW.row_version, NEW.created_at, NEW.changed_at)
      IS DISTINCT FROM
       (OLD.tenant_id, OLD.kind, OLD.object_id, OLD.from_version, OLD.body, OLD.people, OLD.row_version, OLD.created_at, OLD.changed_at) THEN
    RAISE EXCEPTION 'a revision of % % never changes, it only ends', OLD.kind, OLD.object_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_rule_revision BEFORE UPDATE ON rule_revisions FOR EACH ROW EXECUTE FUNCTION guard_rule_revision();

CREATE FUNCTION guard_rule_set_head() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.tenant_id <> OLD.tenant_id OR NEW.version < OLD.version THEN
    RAISE EXCEPTION 'the version of a rule set never goes back' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_rule_set_head BEFORE UPDATE ON rule_set_heads FOR EACH ROW EXECUTE FUNCTION guard_rule_set_head();

-- Every decision of the evaluator with all that it depended on, so that it can be explained and repeated.
CREATE TABLE evaluations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  request_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('elevation', 'tool', 'access')),
  -- Null: the rules could not be read or asked, which is why the request waits for a person.
  rule_set_version bigint CHECK (rule_set_version >= 0),
  facts jsonb NOT NULL CHECK (jsonb_typeof(facts) = 'object'),
  verdict text NOT NULL CHECK (verdict IN ('auto_approved', 'denied', 'ignored', 'pending', 'needs_approval')),
  because text NOT NULL,
  deciding_rule_id text,
  source text CHECK (source IN ('software_policy', 'pam_rule', 'access_policy')),
  -- How people call the request.
  label text NOT NULL,
  trace jsonb NOT NULL CHECK (jsonb_typeof(trace) = 'object'),
  -- The rest of the answer: the deciding rule as it was called then, the duration, the terms of access.
  answer jsonb NOT NULL CHECK (jsonb_typeof(answer) = 'object'),
  site_id text GENERATED ALWAYS AS (facts ->> 'siteId') STORED,
  flow_type text GENERATED ALWAYS AS (CASE kind WHEN 'elevation' THEN facts ->> 'flowType'
    WHEN 'tool' THEN 'ai_tool_action' END) STORED,
  decided_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CHECK (verdict = 'pending' OR rule_set_version IS NOT NULL)
);
CREATE INDEX evaluations_decided ON evaluations (tenant_id, decided_at, id);
CREATE INDEX evaluations_request ON evaluations (tenant_id, request_id, decided_at);
CALL tenant_table('evaluations', 'SELECT, INSERT');
