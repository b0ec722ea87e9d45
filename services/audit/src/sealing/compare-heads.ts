import type { KeyObject } from 'node:crypto';
import { anyOf, type Database } from '@claviger/database';
import { type SignedTreeHead, verifyTreeHead } from '@claviger/merkle';
import type { AuditSchema } from '../schema.ts';
import { lastHead } from './head-store.ts';
import type { HeadsFile } from './heads-file.ts';
import type { HeadProblem } from './sealing-problem.ts';
import { headOfRow } from './tree-head-row.ts';

export interface CompareHeadsDeps {
  readonly database: Database<AuditSchema>;
  readonly headsFile: HeadsFile;
  readonly publicKey: KeyObject;
  /** The newest head of each tenant that the bus keeps; empty while it cannot be reached. */
  readonly onBus: ReadonlyMap<string, SignedTreeHead>;
}

/**
 * Compares every tenant's newest heads outside, in the file and on the bus, with the database, and brings the
 * file up to date where the database knows more. What the bus kept from before the last finished restore
 * binds nothing. Answers the problems by tenant: there the database was cut, restored or rewritten, and
 * nothing may be sequenced.
 */
export async function compareHeads(deps: CompareHeadsDeps): Promise<Map<string, HeadProblem>> {
  const { database, headsFile, publicKey, onBus } = deps;
  const problems = new Map<string, HeadProblem>();
  const trees = await database.acrossTenants((tx) =>
    tx.selectFrom('trees').select('tenant_id').where('size', '>', 0).execute(),
  );
  const tenants = new Set([...trees.map((tree) => tree.tenant_id), ...headsFile.tenants(), ...onBus.keys()]);
  for (const tenantId of tenants) {
    // Before the database is asked: it knows a head before anybody outside does.
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

/** A head of the bus that counts: every service may publish, so only one under our signature, and of after the last restore. */
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
      message: `the head of size ${outside.size} ${where} is not signed by our key: it was altered, or the key was exchanged`,
    };
  if ((newest?.size ?? 0) < outside.size)
    return {
      behind: true,
      message: `the database knows ${newest?.size ?? 0} events, a head ${where} ${outside.size}: the tail was cut, or an older state was restored`,
    };
  if (stored?.rootHash !== outside.rootHash)
    return {
      behind: false,
      message: `the database has another tree at size ${outside.size} than the head ${where}: the log was rewritten`,
    };
  return undefined;
}
