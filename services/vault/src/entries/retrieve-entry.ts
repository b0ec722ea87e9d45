import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { CallContext, Handler } from '@claviger/service-kit';
import { deliverUnderGrant } from '../disclosure/deliver-under-grant.ts';
import type { DisclosureRequest } from '../disclosure/disclosure-gate.ts';
import { receiptOf } from '../disclosure/receipt.ts';
import { discloseInEmergency, emergencyAccessOverrides } from '../emergency/disclose-in-emergency.ts';
import type { EntriesDeps } from './deps.ts';

/** Commits the audit record before it decrypts the secret. Without a record nothing is disclosed. */
export function retrieveEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.retrieveEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const entryId = request.entryId;
    deps.secrets.requireOpen();
    const { reason, ticket, version } = request;
    const committed = await commitDisclosure(deps, context, { entryId, version, reason, ticket });
    return {
      entryId,
      version: committed.encryptedVersion.version,
      username: committed.username,
      secret: await deps.secrets.decrypt(committed.encryptedVersion),
      rotationState: committed.rotationState,
      receipt: receiptOf(committed.event, deps.receiptKey),
      type: committed.encryptedVersion.purpose,
    };
  };
}

/**
 * Uses a share or a grant. If they are refused or the record cannot be written, uses an open emergency
 * session.
 */
async function commitDisclosure(deps: EntriesDeps, context: CallContext, request: DisclosureRequest) {
  try {
    const verdict = await deps.gate.retrieve(context, request);
    return verdict.kind === 'committed'
      ? verdict
      : await deliverUnderGrant(deps, context, verdict.grantId, request);
  } catch (error) {
    const disclosure = emergencyAccessOverrides(error) && (await discloseInEmergency(deps, context, request));
    if (!disclosure) throw error;
    return disclosure;
  }
}
