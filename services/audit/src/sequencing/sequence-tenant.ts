import type { Leadership } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import { appendLeaves, emptyRoot, signTreeHead } from '@claviger/merkle';
import { failpoint, type Logger } from '@claviger/service-kit';
import type { AuditKeys } from '../keys.ts';
import type { AuditSchema } from '../schema.ts';
import { findAltered } from './find-altered.ts';
import {
  lastHead,
  lockTree,
  quarantine,
  selectUnsequenced,
  storeHead,
  storeNodes,
  storeSequences,
} from './head-store.ts';
import type { HeadsFile } from './heads-file.ts';
import { requireUnbroken } from './unbroken-tree.ts';

/** Event name of a tree head, before the tenant id. */
export const TREE_HEAD_EVENT = 'tree-head';

export interface SequencingDeps {
  readonly database: Database<AuditSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly keys: Pick<AuditKeys, 'treeHead' | 'treeHeadPublic' | 'macs'>;
  readonly headsFile: HeadsFile;
  readonly batchSize: number;
}

/**
 * Sequences the oldest new events of a tenant under one new tree head: stores sequence numbers, tree nodes,
 * the head and its event in one transaction, then appends the head to the file. Returns the number of events;
 * 0 also when another replica holds the tree.
 *
 * @throws {SequencingProblem} when the stored tree does not match the last signed head.
 */
export async function sequenceTenant(
  deps: SequencingDeps,
  tenantId: string,
  leadership: Leadership,
): Promise<number> {
  const sequenced = await deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const tree = await lockTree(tx, tenantId);
    if (tree === undefined) return undefined;
    const before = await lastHead(tx);
    requireUnbroken(tree, before, deps.headsFile.newest(tenantId), deps.keys.treeHeadPublic);
    const candidates = await selectUnsequenced(tx, deps.batchSize);
    const altered = findAltered(candidates, deps.keys.macs);
    if (altered.size > 0) {
      await quarantine(tx, tenantId, altered);
      deps.logger.error(
        { tenantId, events: [...altered.keys()] },
        'stored events were altered before they were sequenced; they are quarantined; find out who has access to the database',
      );
    }
    const events = candidates.filter((event) => !altered.has(event.event_id));
    if (events.length === 0) return undefined;
    const appended = appendLeaves(
      tree.frontier,
      events.map((event) => event.leaf_hash),
    );
    const head = signTreeHead(
      {
        tenantId,
        size: appended.size,
        rootHash: appended.root.toString('hex'),
        timestamp: new Date().toISOString(),
        previousRootHash: before?.rootHash ?? emptyRoot().toString('hex'),
      },
      deps.keys.treeHead,
    );
    await Promise.all([
      storeSequences(tx, events, tree.frontier.size),
      storeNodes(tx, tenantId, appended.completedNodes),
      storeHead(tx, head, appended.frontier),
      // Each tenant has its own subject, so that the stream returns the newest head of each.
      deps.emitter.event(tx, tenantId, `${TREE_HEAD_EVENT}.${tenantId}`, head),
    ]);
    await failpoint('audit.seal.before_commit');
    return { head, count: events.length };
  });
  if (sequenced === undefined) return 0;
  await failpoint('audit.seal.after_commit');
  await deps.headsFile.append(sequenced.head);
  return sequenced.count;
}
