-- Until when a person has emergency access open, and administers nothing; by which session.
ALTER TABLE users
  ADD COLUMN emergency_until timestamptz,
  ADD COLUMN emergency_session_id uuid,
  ADD CONSTRAINT users_emergency CHECK ((emergency_until IS NULL) = (emergency_session_id IS NULL));
