import type * as exposure from '@claviger/contracts/vault/v1/exposure';
import { countRows, likeTerm, pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { VaultReader } from '../schema.ts';
import type { ExposureDeps } from './deps.ts';
import { LEDGER_SORT, LEDGER_TIE, ledger, toExposure } from './ledger-store.ts';
import { requireUser } from './require-user.ts';

/** What a user has seen, latest first. Works for deleted users. */
export function getUserExposure(
  deps: ExposureDeps,
): Handler<typeof exposure.ExposureService.getUserExposure> {
  return async (request, context) => {
    const userId = await requireUser(deps, context, request.userId);
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const rows = filtered(reader, request, userId);
      const page = await pageOf({
        request,
        query: rows,
        sort: LEDGER_SORT,
        defaultSort: 'lastSeenAt',
        defaultOrder: 'desc',
        tieBreaker: LEDGER_TIE,
        map: toExposure,
      });
      const currentSecrets = await countRows(
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
