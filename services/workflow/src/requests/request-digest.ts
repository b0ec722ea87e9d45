import { createHash } from 'node:crypto';
import { canonicalJson } from '@claviger/merkle';

/** Everything that an approver agrees to. */
export interface Asked {
  readonly kind: 'access';
  readonly tenantId: string;
  readonly requesterId: string;
  readonly entryId: string;
  readonly resourceId: string;
  readonly reason: string;
  readonly ticket: string;
  readonly durationMinutes: number;
}

/**
 * For a request to lower a protection or a policy: the digest of the change binds it to one state of the
 * entry or policy.
 */
export interface AskedChange extends Omit<Asked, 'kind'> {
  readonly kind: 'protection' | 'policy';
  readonly changeDigest: string;
}

/** Hex SHA-256 of the canonical JSON (RFC 8785) of the request. */
export function requestDigest(asked: Asked | AskedChange): string {
  const { kind, tenantId, requesterId, entryId, resourceId, reason, ticket, durationMinutes } = asked;
  const text = canonicalJson({
    kind,
    tenantId,
    requesterId,
    entryId,
    resourceId,
    reason,
    ticket,
    durationMinutes,
    ...(asked.kind === 'access' ? {} : { changeDigest: asked.changeDigest }),
  });
  return createHash('sha256').update(text).digest('hex');
}
