import type { vault } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { deliverUnderGrant } from '../disclosure/deliver-under-grant.ts';
import { receiptOf } from '../disclosure/receipt.ts';
import { requireId } from '../ids.ts';

/** The audit record is committed before the secret is decrypted; without it there is no secret. */
export function retrieveEntry(
  deps: VaultDeps,
): Handler<(typeof vault.EntriesServiceService)['retrieveEntry']> {
  return async (request, context) => {
    context.auditSubject = { type: 'entry', id: request.entryId };
    const entryId = requireId(request.entryId);
    deps.secrets.requireOpen();
    const { reason, ticket, version } = request;
    const verdict = await deps.gate.retrieve(context, { entryId, version, reason, ticket });
    const committed =
      verdict.kind === 'committed'
        ? verdict
        : await deliverUnderGrant(deps, context, verdict.grantId, { reason, ticket });
    return {
      entryId,
      version: committed.sealedVersion.version,
      username: committed.username,
      secret: await deps.secrets.open(committed.sealedVersion),
      rotationState: committed.rotationState,
      receipt: receiptOf(committed.event, deps.receiptKey),
    };
  };
}
