import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import type { CallContext } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import type { VaultReader, VaultSchema } from '../schema.ts';
import { maySeeReachability } from '../targets/target-answer.ts';

export type ModuleRow = Selectable<VaultSchema['modules']>;

const mapModule = rowMapper<vault.Module>('claviger.vault.v1.Module');

/** The reason of a failed test is visible only to actors who may see how targets are reached. */
export function toModule(row: ModuleRow, context: Pick<CallContext, 'actor'>): vault.Module {
  return mapModule({
    ...row,
    status_problem:
      row.status_problem === '' || maySeeReachability(context) ? row.status_problem : UNIFORM_PROBLEM,
  });
}

/** Throws `not_found`. */
export async function moduleById(reader: VaultReader, id: string): Promise<ModuleRow> {
  const row = await reader.selectFrom('modules').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return row;
}
