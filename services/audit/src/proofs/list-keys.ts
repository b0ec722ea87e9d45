import type { KeyObject } from 'node:crypto';
import type * as audit from '@claviger/contracts/audit/v1/audit';
import { keyIdOf } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import type { ProofsDeps } from './deps.ts';

/**
 * Lists the public keys that verify tree heads and receipts. Auditors keep copies elsewhere, because
 * verification relies on these keys.
 */
export function listKeys(deps: ProofsDeps): Handler<typeof audit.AuditService.listKeys> {
  const keyOf = (purpose: string, key: KeyObject): audit.PublicKey => ({
    keyId: keyIdOf(key),
    purpose,
    publicKey: key.export({ type: 'spki', format: 'pem' }).toString(),
  });
  const items = [keyOf('tree-head', deps.keys.treeHeadPublic), keyOf('receipt', deps.keys.receiptPublic)];
  return async () => ({ items });
}
