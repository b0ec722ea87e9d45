import { sign } from 'node:crypto';
import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { lockedTenantStanding } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { canonicalJson, keyIdOf } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import type { AuditKeys } from '../keys.ts';
import { lastHead } from '../sealing/head-store.ts';
import type { TenancyDeps } from './deps.ts';

/** So that the signature cannot pass for one over anything else. */
const TYPE = 'claviger-deletion-record+jwt';

/**
 * A compact JWS (EdDSA) over what auth says of the destroyed keys, beside the newest head of the tenant's log: later nobody can
 * give that log another end. Signed by the key of tree heads, whose public half stands at /api/v1/audit/keys.
 */
export function signDeletionRecord(
  deps: Pick<TenancyDeps, 'database'> & { readonly keys: Pick<AuditKeys, 'treeHead'> },
): Handler<typeof tenantLog.TenantLogService.signDeletionRecord> {
  return async (request, context) => {
    const { tenantId } = context;
    const head = await deps.database.withTenant(tenantId, async (tx) => {
      const known = await lockedTenantStanding(tx);
      if (known?.standing !== 'deprovisioning') {
        throw new ClavigerError('conflict', 'The tenant is not being wound down, as far as audit knows.', {
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
