import { sign } from 'node:crypto';
import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { lockedTenantStatus } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { canonicalJson, keyIdOf } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import type { AuditKeys } from '../keys.ts';
import { lastHead } from '../sequencing/head-store.ts';
import type { TenancyDeps } from './deps.ts';

/** Separates this signature from others of the same key. */
const TYPE = 'claviger-deletion-record+jwt';

/**
 * Signs auth's facts about the destroyed keys together with the newest head of the tenant's log, so that the
 * end of this log cannot be changed later. The record is a compact JWS (EdDSA) by the tree-head key, whose
 * public key is at /api/v1/audit/keys.
 */
export function signDeletionRecord(
  deps: Pick<TenancyDeps, 'database'> & { readonly keys: Pick<AuditKeys, 'treeHead'> },
): Handler<typeof tenantLog.TenantLogService.signDeletionRecord> {
  return async (request, context) => {
    const { tenantId } = context;
    const head = await deps.database.withTenant(tenantId, async (tx) => {
      const known = await lockedTenantStatus(tx);
      if (known?.status !== 'deprovisioning') {
        throw new ClavigerError('conflict', 'Audit has no record that this tenant is being deprovisioned.', {
          code: 'wrong_status',
        });
      }
      return lastHead(tx);
    });
    const keyId = keyIdOf(deps.keys.treeHead);
    const signedAt = new Date().toISOString();
    const payload = { ...request.facts, v: 1, tenantId, treeHead: head ? { ...head } : null, signedAt };
    const input = [{ alg: 'EdDSA', kid: keyId, typ: TYPE }, payload]
      .map((part) => Buffer.from(canonicalJson(part)).toString('base64url'))
      .join('.');
    const signature = sign(null, Buffer.from(input), deps.keys.treeHead).toString('base64url');
    return { record: `${input}.${signature}`, keyId, signedAt };
  };
}
