import type { KeyObject } from 'node:crypto';
import { anyOf, type Database } from '@claviger/database';
import { type SignedTreeHead, verifyTreeHead } from '@claviger/merkle';
import type { AuditSchema } from '../schema.ts';
import { lastHead } from './head-store.ts';
import type { HeadsFile } from './heads-file.ts';
import type { HeadProblem } from './sequencing-problem.ts';
import { headOfRow } from './tree-head-row.ts';

export interface CompareHeadsDeps {
  readonly database: Database<AuditSchema>;
  readonly headsFile: HeadsFile;
  readonly publicKey: KeyObject;
  /** The newest head of each tenant in the NATS stream; empty while NATS is unavailable. */
  readonly onBus: ReadonlyMap<string, SignedTreeHead>;
}

/**
 * Compares the newest heads of each tenant in the file and on the bus with the database, and appends newer
 * heads of the database to the file. Heads on the bus from before the last restore are ignored. Returns the
 * problems by tenant: their logs were truncated, restored or rewritten, and must not be continued.
 */
export async function compareHeads(deps: CompareHeadsDeps): Promise<Map<string, HeadProblem>> {
  const { database, headsFile, publicKey, onBus } = deps;
  const problems = new Map<string, HeadProblem>();
  const trees = await database.acrossTenants((tx) =>
    tx.selectFrom('trees').select('tenant_id').where('size', '>', 0).execute(),
  );
  const tenants = new Set([...trees.map((tree) => tree.tenant_id), ...headsFile.tenants(), ...onBus.keys()]);
  for (const tenantId of tenants) {
    // Read the file before the database: a head is stored in the database before it is written elsewhere.
    const inFile = headsFile.newest(tenantId);
    const published = witness(onBus.get(tenantId), deps);
    const outside = [inFile, published].filter((head) => head !== undefined);
    const { stored, newest } = await database.readTenant(tenantId, async (reader) => ({
      stored: await reader
        .selectFrom('tree_heads')
        .selectAll()
        .where('size', '=', anyOf([0, ...outside.map(({ size }) => size)], 'bigint'))
        .execute(),
      newest: await lastHead(reader),
    }));
    const storedOf = ({ size }: SignedTreeHead): SignedTreeHead | undefined =>
      stored.map(headOfRow).find((head) => head.size === size);
    const problem =
      (inFile && difference(inFile, 'in the heads file', storedOf(inFile), newest, publicKey)) ??
      (published && difference(published, 'on the bus', storedOf(published), newest, publicKey));
    if (problem) problems.set(tenantId, problem);
    if (!problem && newest && newest.size > (inFile?.size ?? 0)) await headsFile.append(newest);
  }
  return problems;
}

/**
 * Returns the head on the bus if the tree-head key signed it (any service may publish) and it is newer than
 * the last restore.
 */
function witness(
  published: SignedTreeHead | undefined,
  { headsFile, publicKey }: CompareHeadsDeps,
): SignedTreeHead | undefined {
  if (published === undefined || !verifyTreeHead(published, [publicKey])) return undefined;
  const restoredAt = headsFile.restoredAt();
  const isFormer = restoredAt !== undefined && Date.parse(published.timestamp) <= Date.parse(restoredAt);
  return isFormer ? undefined : published;
}

function difference(
  outside: SignedTreeHead,
  where: string,
  stored: SignedTreeHead | undefined,
  newest: SignedTreeHead | undefined,
  publicKey: KeyObject,
): HeadProblem | undefined {
  if (!verifyTreeHead(outside, [publicKey]))
    return {
      behind: false,
      message: `the head of size ${outside.size} ${where} is not signed by our key: the head was altered, or the key was replaced`,
    };
  if ((newest?.size ?? 0) < outside.size)
    return {
      behind: true,
      message: `the database has ${newest?.size ?? 0} events, a head ${where} covers ${outside.size}: the log was truncated, or an older state was restored`,
    };
  if (stored?.rootHash !== outside.rootHash)
    return {
      behind: false,
      message: `the tree of the database at size ${outside.size} differs from the head ${where}: the log was rewritten`,
    };
  return undefined;
}
