import { createHash } from 'node:crypto';
import type { OutboxMessage } from './publisher.ts';

/** SHA-256 in hex of all that a consumer judges a message by: the same message has the same digest, however often it comes. */
export function messageDigest(message: OutboxMessage): string {
  const { subject, tenantId, eventId, payload, mac } = message;
  return createHash('sha256')
    .update(JSON.stringify([subject, tenantId, eventId, payload]))
    .update(mac)
    .digest('hex');
}
