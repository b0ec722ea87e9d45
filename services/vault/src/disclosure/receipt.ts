import type { KeyObject } from 'node:crypto';
import type { SealedForm } from '@claviger/events';
import { type SignedReceipt, signReceipt } from '@claviger/merkle';

/** The promise that a committed event will be found in the audit log. */
export function receiptOf(event: SealedForm, key: KeyObject): SignedReceipt {
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
