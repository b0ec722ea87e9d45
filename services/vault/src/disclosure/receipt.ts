import type { KeyObject } from 'node:crypto';
import type { CanonicalEvent } from '@claviger/events';
import { type SignedReceipt, signReceipt } from '@claviger/merkle';

/** Signs that the audit log will contain a committed event. */
export function receiptOf(event: CanonicalEvent, key: KeyObject): SignedReceipt {
  return signReceipt(
    {
      eventId: event.event.id,
      tenantId: event.event.tenantId,
      leafHash: event.leafHash,
      action: event.event.action,
      issuedAt: new Date().toISOString(),
    },
    key,
  );
}
