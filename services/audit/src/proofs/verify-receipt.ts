import type * as audit from '@claviger/contracts/audit/v1/audit';
import { verifyReceipt as isSigned } from '@claviger/merkle';
import type { CallContext, Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import { existingId } from '../uuid.ts';
import type { ProofsDeps } from './deps.ts';

/** Checks a receipt's signature, and finds its event in the log. Nothing is looked up for a receipt that is not ours. */
export function verifyReceipt(deps: ProofsDeps): Handler<typeof audit.AuditService.verifyReceipt> {
  return async (request, context) => {
    const found = await check(deps, context, request.receipt!);
    await recordRead(deps, context, request);
    return found;
  };
}

async function check(
  deps: ProofsDeps,
  context: CallContext,
  { eventId, tenantId, leafHash, action, issuedAt, keyId, signature }: audit.Receipt,
): Promise<audit.VerifyReceiptResponse> {
  const receipt = { eventId, tenantId, leafHash, action, issuedAt, keyId, signature };
  if (!isSigned(receipt, [deps.keys.receiptPublic])) {
    return answer(false, 'The signature is not that of this installation over this receipt.');
  }
  if (tenantId !== context.tenantId) return answer(true, 'The receipt is of another tenant.');
  const id = existingId(eventId);
  const event = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('events')
      .select(['leaf_hash', 'sequence'])
      .where('event_id', '=', id)
      .executeTakeFirst(),
  );
  if (event === undefined)
    return answer(
      true,
      'The event is not in the log yet: events arrive within seconds, while the bus works.',
    );
  if (event.leaf_hash.toString('hex') !== leafHash)
    return answer(true, 'The event in the log is not the one that the receipt was given for.');
  return {
    signatureValid: true,
    recorded: true,
    sequence: event.sequence ?? undefined,
    problem: '',
  };
}

function answer(signatureValid: boolean, problem: string): audit.VerifyReceiptResponse {
  return { signatureValid, recorded: false, sequence: undefined, problem };
}
