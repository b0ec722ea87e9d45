import { createHash } from 'node:crypto';
import type { OutboxMessage } from './publisher.ts';

/** SHA-256 in hex of all fields that a consumer checks. Every delivery of a message has the same digest. */
export function messageDigest(message: OutboxMessage): string {
  const { subject, tenantId, eventId, payload, mac } = message;
  return createHash('sha256')
    .update(JSON.stringify([subject, tenantId, eventId, payload]))
    .update(mac)
    .digest('hex');
}
