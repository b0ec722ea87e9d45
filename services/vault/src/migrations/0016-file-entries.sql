-- An entry may hold a file, whose secret is its bytes in base64.
ALTER TABLE entries DROP CONSTRAINT entries_type_check;
ALTER TABLE entries ADD CONSTRAINT entries_type_check
  CHECK (type IN ('password', 'ssh-key', 'api-key', 'note', 'file'));
