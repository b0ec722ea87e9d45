-- The agents of devices act too.
ALTER TABLE events DROP CONSTRAINT events_actor_kind_check;
ALTER TABLE events ADD CONSTRAINT events_actor_kind_check
  CHECK (actor_kind IN ('user', 'api-token', 'agent', 'service', 'anonymous'));
