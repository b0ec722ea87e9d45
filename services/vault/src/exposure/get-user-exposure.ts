import type { exposure } from '@claviger/contracts';
import { likeTerm, pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps, VaultReader } from '../deps.ts';
import { knownUser } from './known-user.ts';
import { LEDGER_SORT, LEDGER_TIE, ledger, toExposure } from './ledger-rows.ts';

/** What a person knows, the latest first; also one who was deleted. */
export function getUserExposure(
  deps: VaultDeps,
): Handler<(typeof exposure.ExposureServiceService)['getUserExposure']> {
  return async (request, context) => {
    const userId = await knownUser(deps, context, request.userId);
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const rows = filtered(reader, request, userId);
      const page = await pageOf({
        request,
        query: rows,
        sort: LEDGER_SORT,
        defaultSort: 'lastSeenAt',
        defaultOrder: 'desc',
        tieBreaker: LEDGER_TIE,
        total: () => count(rows),
        map: toExposure,
      });
      const currentSecrets = await count(
        ledger(reader).where('user_id', '=', userId).where('current', '=', true),
      );
      return { ...page, currentSecrets };
    });
  };
}

function filtered(reader: VaultReader, request: exposure.GetUserExposureRequest, userId: string) {
  let query = ledger(reader).where('user_id', '=', userId);
  if (!request.past) query = query.where('current', '=', true);
  if (request.search) {
    const term = likeTerm(request.search);
    query = query.where((eb) =>
      eb.or([
        eb('entry_name', 'ilike', term),
        eb('username', 'ilike', term),
        eb('asset_name', 'ilike', term),
      ]),
    );
  }
  return query;
}

async function count(rows: ReturnType<typeof ledger>): Promise<number> {
  const { total } = await rows
    .clearSelect()
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return total;
}
