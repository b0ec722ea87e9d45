-- Which approved request a lowered protection was changed under. An approval is used once.
CREATE TABLE protection_decisions (
  tenant_id uuid NOT NULL,
  request_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  changed_by uuid NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, request_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id)
);
CALL tenant_table('protection_decisions', 'SELECT, INSERT');
