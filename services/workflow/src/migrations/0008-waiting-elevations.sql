-- Whoever asks, a person or a machine, and of prompts the device: how much of theirs waits is counted with each new request.
CREATE INDEX elevation_requests_waiting ON elevation_requests (tenant_id, coalesce(requester_id, device_id), expires_at)
  WHERE status = 'pending';
