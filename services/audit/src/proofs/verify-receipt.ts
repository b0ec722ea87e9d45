import type * as audit from '@claviger/contracts/audit/v1/audit';
import { verifyReceipt as isSigned } from '@claviger/merkle';
import type { CallContext, Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { ProofsDeps } from './deps.ts';

/**
 * Verifies the signature of a receipt and finds its event. Looks up nothing unless the signature is valid.
 */
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
    return answer(false, 'The receipt is not signed by this installation.');
  }
  if (tenantId !== context.tenantId) return answer(true, 'The receipt belongs to another tenant.');
  const event = await deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('events')
      .select(['leaf_hash', 'sequence'])
      .where('event_id', '=', eventId)
      .executeTakeFirst(),
  );
  if (event === undefined)
    return answer(
      true,
      'The event is not in the log yet. Events usually arrive within seconds: try again later.',
    );
  if (event.leaf_hash.toString('hex') !== leafHash)
    return answer(true, 'The event in the log differs from the event of the receipt.');
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
