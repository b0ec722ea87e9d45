-- Emergency access is rare: its events are found without reading the others.
CREATE INDEX events_breakglass ON events (tenant_id, occurred_at, event_id)
  WHERE starts_with(action, 'breakglass.') OR position('"basis":"breakglass"' in canonical) > 0;
