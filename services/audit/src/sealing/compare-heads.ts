import type { KeyObject } from 'node:crypto';
import type { Database } from '@claviger/database';
import { type SignedTreeHead, verifyTreeHead } from '@claviger/merkle';
import type { AuditSchema } from '../schema.ts';
import type { HeadsFile } from './heads-file.ts';
import { lastHead } from './store.ts';
import { headOfRow } from './tree-head-row.ts';

/**
 * Holds every tenant's newest head outside against the database, and brings the file up to date where the database knows
 * more. Answers a problem by tenant: there the database was cut, restored or rewritten, and nothing may be sealed; `behind` of them
 * know fewer events than a head outside that is ours.
 */
export async function compareHeads(deps: {
  database: Database<AuditSchema>;
  headsFile: HeadsFile;
  publicKey: KeyObject;
}): Promise<{ problems: Map<string, string>; behind: number }> {
  const problems = new Map<string, string>();
  let behind = 0;
  const trees = await deps.database.system((tx) =>
    tx.selectFrom('trees').select('tenant_id').where('size', '>', 0).execute(),
  );
  const tenants = new Set([...trees.map((tree) => tree.tenant_id), ...deps.headsFile.tenants()]);
  for (const tenantId of tenants) {
    const outside = deps.headsFile.newest(tenantId);
    const { stored, newest } = await deps.database.readTenant(tenantId, async (reader) => ({
      stored:
        outside &&
        (await reader
          .selectFrom('tree_heads')
          .selectAll()
          .where('size', '=', outside.size)
          .executeTakeFirst()),
      newest: await lastHead(reader),
    }));
    const problem = outside && difference(outside, stored && headOfRow(stored), newest, deps.publicKey);
    if (problem) problems.set(tenantId, problem.text);
    if (problem?.behind) behind += 1;
    if (problem) continue;
    if (newest && newest.size > (outside?.size ?? 0)) await deps.headsFile.append(newest);
  }
  return { problems, behind };
}

function difference(
  outside: SignedTreeHead,
  stored: SignedTreeHead | undefined,
  newest: SignedTreeHead | undefined,
  publicKey: KeyObject,
): { text: string; behind: boolean } | undefined {
  if (!verifyTreeHead(outside, [publicKey]))
    return {
      behind: false,
      text: `the head of size ${outside.size} in the heads file is not signed by our key: the file was altered, or the key was exchanged`,
    };
  if ((newest?.size ?? 0) < outside.size)
    return {
      behind: true,
      text: `the database knows ${newest?.size ?? 0} events, a head kept outside ${outside.size}: the tail was cut, or an older state was restored`,
    };
  if (stored?.rootHash !== outside.rootHash)
    return {
      behind: false,
      text: `the database has another tree at size ${outside.size} than the head kept outside: the log was rewritten`,
    };
  return undefined;
}
