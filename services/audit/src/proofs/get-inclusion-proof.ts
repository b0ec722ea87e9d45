import type * as audit from '@claviger/contracts/audit/v1/audit';
import { ClavigerError } from '@claviger/errors';
import { inclusionProof, inclusionProofNodes } from '@claviger/merkle';
import type { Handler } from '@claviger/service-kit';
import { notSequenced } from '../not-sequenced.ts';
import { recordRead } from '../reads/record-read.ts';
import type { ProofsDeps } from './deps.ts';
import { headOfSize, newestHead, readNodes } from './proof-store.ts';

/** The inclusion proof of one event under a signed tree head. */
export function getInclusionProof(deps: ProofsDeps): Handler<typeof audit.AuditService.getInclusionProof> {
  return async (request, context) => {
    const eventId = request.eventId;
    context.auditSubject = { type: 'event', id: eventId };
    const answer = await deps.database.readTenant(context.tenantId, async (reader) => {
      const event = await reader
        .selectFrom('events')
        .select(['sequence', 'leaf_hash'])
        .where('event_id', '=', eventId)
        .executeTakeFirst();
      if (event === undefined) throw ClavigerError.notFound();
      if (event.sequence === null) throw notSequenced('The event is');
      const treeHead =
        request.treeSize === undefined
          ? await newestHead(reader)
          : await headOfSize(reader, request.treeSize);
      if (treeHead === undefined)
        throw ClavigerError.invalid('/treeSize', 'must be the size of a tree head: see the list of heads');
      if (event.sequence >= treeHead.size)
        throw ClavigerError.invalid(
          '/treeSize',
          `must be at least ${event.sequence + 1} to include this event`,
        );
      const nodes = await readNodes(reader, inclusionProofNodes(event.sequence, treeHead.size));
      const proof = await inclusionProof(event.sequence, treeHead.size, nodes);
      return {
        eventId,
        sequence: event.sequence,
        leafHash: event.leaf_hash.toString('hex'),
        proof: proof.map((hash) => hash.toString('hex')),
        treeHead,
      };
    });
    await recordRead(deps, context, request, { type: 'event', id: eventId });
    return answer;
  };
}
