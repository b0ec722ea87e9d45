import type * as audit from '@claviger/contracts/audit/v1/audit';
import { ClavigerError } from '@claviger/errors';
import { consistencyProof, consistencyProofNodes } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../reads/record-read.ts';
import type { ProofsDeps } from './deps.ts';
import { newestHead, readNodes } from './proof-store.ts';

/** The proof that the log of `second` events begins with the log of `first` events. */
export function getConsistencyProof(
  deps: ProofsDeps,
): Handler<typeof audit.AuditService.getConsistencyProof> {
  return async (request, context) => {
    const { first, second } = request;
    if (first > second) throw ClavigerError.invalid('/first', 'must not be greater than second');
    const answer = await deps.database.readTenant(context.tenantId, async (reader) => {
      const { size } = await newestHead(reader);
      if (second > size)
        throw ClavigerError.invalid('/second', `must not be greater than the size of the log, ${size}`);
      const nodes = await readNodes(reader, consistencyProofNodes(first, second));
      const proof = await consistencyProof(first, second, nodes);
      return { first, second, proof: proof.map((hash) => hash.toString('hex')) };
    });
    await recordRead(deps, context, request);
    return answer;
  };
}
